#include "harness/run/ending.h"

#include <algorithm>

#include "harness/oracles/reading.h"

namespace forkproof::run {
namespace {

std::uint64_t count_living(const CensusTaken& census, Pid subject) {
  return static_cast<std::uint64_t>(
      std::count_if(census.processes.begin(), census.processes.end(), [subject](const CensusEntry& each) {
        return each.pid != subject && each.state != "Z" && !each.doomed;
      }));
}

}  // namespace

Ending ending_of(const History& history) {
  const oracles::Reading reading(history);
  Ending ending;
  for (const Event& event : history.events()) {
    if (const auto* census = event.as<CensusTaken>()) ending.left = count_living(*census, reading.supervisor());
  }
  const auto asked = reading.first<TeardownAsked>();
  const auto end = reading.supervisor_end();
  if (!end) return ending;
  if (asked) ending.took = std::max(Nanos{}, reading.time(*end) - reading.time(*asked));
  const Exited& exited = reading.at<Exited>(*end);
  if (exited.known) ending.status = exited.status;
  return ending;
}

}  // namespace forkproof::run
