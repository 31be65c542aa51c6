// Promise `no-stuck-process`. A deadlock is proved, not timed out (facts/linux-hazards.md); what could not be proved
// and was waited for says so.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

constexpr std::int32_t stop_signal = 19;

}  // namespace

Verdict no_stuck_process(const History& history) {
  const Reading reading(history);
  if (!reading.first<ArenaOpened>()) return unknown("no arena was seen, so nobody was looked at");
  if (reading.killed_from_outside()) return skipped("the supervisor was killed from outside; whether its orphan goes on is orphan-ends' matter");
  // Who was stopped by the rig itself, and who waits for it, waits for the rig.
  const bool stopped_by_us = reading.first<Signalled>([&](const Signalled& sent) {
    return sent.by == reading.warden() && sent.signal == stop_signal && sent.error == 0;
  }).has_value();
  const auto found = reading.first<Stuck>([stopped_by_us](const Stuck& stuck) {
    return !stopped_by_us || (stuck.how != "stopped" && stuck.how != "child-wait");
  });
  if (!found) return held("nobody was found stuck");
  const Stuck& stuck = reading.at<Stuck>(*found);
  std::vector<std::size_t> evidence{*found};
  if (const auto established = reading.first<FaultEstablished>()) evidence.insert(evidence.begin(), *established);
  const std::string sure = stuck.proved ? "proved, " + text(std::max(Nanos{}, reading.time(*found) - stuck.since)) + " after it was first seen so"
                                        : "not proved: waited for";
  return broken(reading.who(stuck.pid) + " is stuck (" + stuck.how + ", " + sure + "): " + stuck.because, evidence);
}

}  // namespace forkproof::oracles
