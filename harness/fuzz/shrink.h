#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "harness/core/case.h"
#include "harness/core/verdict.h"
#include "harness/run/run_pool.h"

namespace forkproof::fuzz {

/// How a case is shrunk. A candidate counts as still broken when its oracle breaks in `needed` of at most `tries` runs.
struct ShrinkOptions {
  unsigned at_first = 10;  ///< in so many of so many runs the case must break before it can tell anything
  unsigned needed = 3;
  unsigned tries = 3;
  Nanos budget = std::chrono::seconds(30);  ///< real time, half of it for the search
  unsigned measured = 20;                   ///< runs by which the reliability of the result is told
};

/// What ended a search for less.
enum class ShrinkEnd {
  smallest,     ///< no smaller candidate is left
  out_of_time,  ///< the budget
  interrupted,
  unreliable,   ///< the case itself does not break each time: it was left as it was
};

/// "smallest", "out-of-time" and so on.
std::string_view word(ShrinkEnd end);

/// What is left of a case. A candidate that broke in every run of its test may hold one time in ten: where the result does
/// not break in each run of the measurement, the steps to it are taken back until one does.
struct Shrunk {
  Case one;
  ShrinkEnd end = ShrinkEnd::out_of_time;
  std::uint64_t steps = 0;  ///< candidates that took the place of the case, and were not taken back
  std::uint64_t runs = 0;   ///< of all candidates together
  Nanos took{};             ///< until `one` was found, without the measurement
  unsigned broke = 0, measured = 0;  ///< of the result, in the measurement: "20 of 20"
  Verdict verdict;                   ///< of the result's last broken run
  std::set<std::string> breaks;      ///< every promise that broke in each run of the measurement
};

/// Makes a case in which `oracle` breaks as small as it stays so. Only the data shrinks: every candidate is a case that is
/// run. Several at once where the pool allows it; the pool is idle before and after. Blocks. `base`: the profile that the
/// case's is named after.
Shrunk shrink(const Case& one, const std::string& oracle, const Profile& base, run::RunPool& pool,
              const ShrinkOptions& options);

/// In how many of so many runs an oracle breaks. Blocks; stops early when the pool is interrupted or the time is over.
struct Reliability {
  unsigned broke = 0, runs = 0;
  Verdict verdict;  ///< of the last broken run
  std::set<std::string> breaks;  ///< every promise that broke in each of the runs
};
Reliability measure(const Case& one, const std::string& oracle, unsigned runs, run::RunPool& pool,
                    std::optional<Nanos> deadline = std::nullopt);

/// "20 of 20".
std::string text(const Reliability& reliability);

}  // namespace forkproof::fuzz
