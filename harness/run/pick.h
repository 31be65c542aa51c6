#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "harness/core/case.h"
#include "harness/core/schedule.h"

namespace forkproof::run {

/// How many steps a run of this case takes, about: where changes of priority are worth while. From the tree alone, so
/// that the same case has the same order on every machine.
std::uint64_t steps_expected(const Case& one);

/// The priority that PCT gives a process at first; greater goes first. A pure function of the seed.
std::uint64_t first_priority(std::uint64_t seed, char letter);
/// The steps, from 1 to `steps`, at which PCT changes a priority: `changes` of them, or all where there are fewer.
std::set<std::uint64_t> change_steps(std::uint64_t seed, std::uint64_t changes, std::uint64_t steps);

/// Says who goes first, step by step. Passive; a pure function of the schedule and of whom it was asked about so far.
class Pick {
 public:
  Pick(const Schedule& schedule, std::uint64_t steps);
  /// The one to go, of those that wait: their letters, different ones, in the order of their places (the supervisor,
  /// node 0, 1 ...). Never asked about nobody.
  char next(std::string_view waiting);
  /// Steps so far, and how many of them were decisions.
  [[nodiscard]] std::int64_t steps() const { return step_; }
  [[nodiscard]] std::int64_t decisions() const { return decision_; }

 private:
  char by_priority(std::string_view waiting);
  [[nodiscard]] char highest(std::string_view waiting) const;

  Schedule schedule_;
  std::set<std::uint64_t> changes_;
  std::map<char, std::int64_t> dropped_;  // below all that were not, and below those that dropped before
  std::int64_t step_ = 0, decision_ = 0;
};

}  // namespace forkproof::run
