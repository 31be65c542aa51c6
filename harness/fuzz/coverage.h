#pragma once
#include <map>
#include <set>
#include <string>

#include "harness/core/case.h"
#include "harness/fuzz/space.h"

namespace forkproof::fuzz {

/// The words of the vocabulary that a case uses: "backend fork", "on_term return", "fork-after-thread lock std-mutex".
std::set<std::string> words_of(const Case& one);

/// How many cases of a campaign have used each word; words that none has used stand there with 0.
class Coverage {
 public:
  explicit Coverage(const Space& space);
  void add(const Case& one);
  [[nodiscard]] const std::map<std::string, std::uint64_t>& words() const { return words_; }
  /// Used words, of a hundred.
  [[nodiscard]] double percent() const;

 private:
  std::map<std::string, std::uint64_t> words_;
};

}  // namespace forkproof::fuzz
