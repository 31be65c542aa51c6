#pragma once
#include <cstdint>
#include <string_view>

#include "harness/core/case.h"

// The output of the tree's nodes is lines of one letter (fixtures/task), so that it can be told from all other output.

namespace forkproof::run {

/// Counts the letters of the task's output in a command's, however that cuts, prefixes or mixes its lines: all runs of the
/// letter that are too long to be anybody else's. Passive.
class TaskOutputMeter {
 public:
  void read(std::string_view bytes);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t run_ = 0, bytes_ = 0;
};

/// Whether a line has some of it.
bool is_of_the_task(std::string_view line);

}  // namespace forkproof::run
