#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "harness/core/case.h"
#include "harness/core/verdict.h"
#include "harness/run/run_pool.h"

namespace forkproof::fuzz {

/// How a case is shrunk. A candidate counts as still broken when its oracle breaks in `needed` of at most `tries` runs.
struct ShrinkOptions {
  unsigned needed = 3;
  unsigned tries = 3;
  Nanos budget = std::chrono::seconds(30);  ///< real time; what is found until then is the result
  unsigned measured = 20;                   ///< runs by which the reliability of the result is told
};

/// What is left of a case.
struct Shrunk {
  Case one;
  bool reliable = false;    ///< the case that it began with broke as often as is needed; else it was left as it was
  bool smallest = false;    ///< no smaller candidate is left; else the budget or an interrupt ended it
  std::uint64_t steps = 0;  ///< candidates that took the place of the case
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

/// In how many of so many runs an oracle breaks. Blocks; stops early only when the pool is interrupted.
struct Reliability {
  unsigned broke = 0, runs = 0;
  Verdict verdict;  ///< of the last broken run
  std::set<std::string> breaks;  ///< every promise that broke in each of the runs
};
Reliability measure(const Case& one, const std::string& oracle, unsigned runs, run::RunPool& pool);

/// "20 of 20".
std::string text(const Reliability& reliability);

}  // namespace forkproof::fuzz
