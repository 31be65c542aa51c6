// Promise `no-stuck-process`. A deadlock is proved, not timed out (harness/faults/README.md); what could not
// be proved and was waited for says so.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

constexpr std::int32_t stop_signal = 19;

/// A process that was stopped, or that waits for one, goes on as soon as somebody sends SIGCONT. So it counts
/// only where it is still stopped in the last census. A finding that is proved, or that a deadline made,
/// counts in any case.
bool stands(const History& history, const Stuck& stuck) {
  if (stuck.how == "spinning") return false;  // in histories of older versions: it was computing
  if (stuck.proved || (stuck.how != "stopped" && stuck.how != "child-wait")) return true;
  const CensusTaken* last = nullptr;
  for (const Event& event : history.events()) {
    if (const auto* census = event.as<CensusTaken>()) last = census;
  }
  if (last == nullptr) return false;
  bool is_there = false, any_stopped = false;
  for (const CensusEntry& entry : last->processes) {
    const bool stopped = entry.state == "T" || entry.state == "t";
    any_stopped |= stopped;
    is_there |= entry.pid == stuck.pid && (stopped || stuck.how == "child-wait");
  }
  return is_there && any_stopped;
}

}  // namespace

Verdict no_stuck_process(const History& history) {
  const Reading reading(history);
  if (!reading.first<ArenaOpened>()) return unknown("no arena was seen, so nobody was looked at");
  if (reading.killed_from_outside()) return skipped("the rig killed the supervisor (SIGKILL); whether its orphan goes on is orphan-ends' matter");
  // Who was stopped by the rig itself, and who waits for it, waits for the rig.
  const bool stopped_by_us = reading.first<Signalled>([&](const Signalled& sent) {
    return sent.by == reading.warden() && sent.signal == stop_signal && sent.error == 0;
  }).has_value();
  const auto counts = [&](const Stuck& stuck) {
    const bool ours = stopped_by_us && (stuck.how == "stopped" || stuck.how == "child-wait");
    return !ours && stands(history, stuck);
  };
  auto found = reading.first<Stuck>([&](const Stuck& stuck) { return stuck.proved && counts(stuck); });
  if (!found) found = reading.first<Stuck>(counts);
  if (!found) return held("nobody was found stuck");
  const Stuck& stuck = reading.at<Stuck>(*found);
  std::vector<std::size_t> evidence{*found};
  if (const auto established = reading.first<FaultEstablished>()) evidence.insert(evidence.begin(), *established);
  const std::string sure = stuck.proved ? "proved, " + text(std::max(Nanos{}, reading.time(*found) - stuck.since)) + " after it was first seen so"
                                        : "not proved: waited for";
  return broken(reading.who(stuck.pid) + " is stuck (" + stuck.how + ", " + sure + "): " + stuck.because, evidence);
}

}  // namespace forkproof::oracles
