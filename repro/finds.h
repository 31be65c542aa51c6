#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/fuzz/campaign.h"
#include "harness/fuzz/shrink.h"

namespace forkproof {

/// What `repro fuzz` was asked to invent, in words: with a case's number they say it again.
struct AskedSpace {
  std::string profile;
  std::vector<std::string> backends;  ///< as asked for; empty: all
  bool hazards = false;
  std::uint64_t seed = 1;

  /// The command that plays a case of it again, an option and its value in one: a number makes a case only together with
  /// what is invented over.
  [[nodiscard]] std::vector<std::string> words(std::uint64_t index) const;
  /// Of the file that a case of it is saved as: "airflow-3.2.0-fork-7-12". No other space has it.
  [[nodiscard]] std::string file_name(std::uint64_t index) const;
};

/// Saves what breaks as soon as it is known, and shrinks it when the campaign is over. Passive; lives as long as the
/// command.
class Finds {
 public:
  Finds(std::string folder, AskedSpace asked, const fuzz::Space& space);

  /// All that one case broke. The first few cases of each promise are written, and the rest counted.
  void save(const std::vector<fuzz::Break>& broken);

  /// Of each promise the smallest cases, until one of them is reliable. What is left of it is saved beside it, with how
  /// reliably it breaks. All of it takes at most `budget`.
  void shrink(const std::vector<fuzz::Break>& broken, const arena::Provision& provision, unsigned jobs, Nanos budget);

  [[nodiscard]] const std::vector<fuzz::ShrunkBreak>& shrunk() const { return shrunk_; }
  [[nodiscard]] const std::vector<std::string>& saved() const { return saved_; }  ///< paths

  /// What there is to say of it, lines for the summary.
  [[nodiscard]] std::string text() const;

 private:
  bool shrink_one(const fuzz::Break& each, run::RunPool& pool, Nanos budget);
  std::string keep(const Case& one, std::uint64_t index, std::set<std::string> breaks, std::vector<std::string> notes,
                   const std::string& suffix);

  const std::string folder_;
  const AskedSpace asked_;
  const fuzz::Space& space_;
  std::map<std::string, std::uint64_t> cases_;  // by promise: how many have broken it
  std::vector<std::string> saved_;
  std::vector<fuzz::ShrunkBreak> shrunk_;
};

}  // namespace forkproof
