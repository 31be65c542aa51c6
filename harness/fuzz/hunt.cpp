#include "harness/fuzz/hunt.h"

#include "harness/fuzz/invent.h"
#include "harness/oracles/oracle.h"

namespace forkproof::fuzz {

std::string first_broken(const std::map<std::string, Verdict>& verdicts) {
  for (const auto& row : oracles::oracles()) {
    const auto found = verdicts.find(std::string(row.key));
    if (found != verdicts.end() && found->second.outcome == Outcome::broken) return found->first;
  }
  return {};
}

namespace {

std::string what_counts(const std::map<std::string, Verdict>& verdicts, const HuntLimits& limits) {
  if (limits.oracle.empty()) return first_broken(verdicts);
  const auto wanted = verdicts.find(limits.oracle);
  return wanted != verdicts.end() && wanted->second.outcome == Outcome::broken ? limits.oracle : std::string();
}

}  // namespace

std::optional<Quarry> hunt(const Space& space, std::uint64_t seed, run::RunPool& pool, const HuntLimits& limits) {
  const Nanos began = monotonic_now();
  std::optional<Quarry> found;
  std::uint64_t next = 0;
  const auto goes_on = [&] {
    return !found && next < limits.cases && monotonic_now() - began < limits.time && !pool.interrupted();
  };
  while (goes_on() || !pool.idle()) {
    while (goes_on() && !pool.full()) {
      pool.start(invent(space, seed, next), next);
      ++next;
    }
    for (run::FinishedRun& run : pool.wait()) {
      const std::string oracle = what_counts(run.verdicts, limits);
      // Of those that were open at the same time, the one of the lowest number: that does not depend on who was faster.
      if (oracle.empty() || (found && found->cases <= run.tag + 1)) continue;
      const Nanos after = found ? found->found_after : monotonic_now() - began;
      found = Quarry{std::move(run.one), oracle, run.verdicts.at(oracle), run.tag + 1, after};
    }
  }
  return found;
}

}  // namespace forkproof::fuzz
