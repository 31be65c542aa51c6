// Promise `teardown-bounded`. The bound is the sum of the waits that the profile declares plus a slack (decision 8),
// so it grows with the time scale; what the machine was late by the canary's count is no fault of the subject.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

/// What kept the supervisor when its bound was over, where that is known: a task that ignores SIGTERM, say.
std::string cause_of_delay(const Reading& reading) {
  const auto why = reading.first<Explained>([](const Explained& each) { return !each.processes.empty(); });
  if (!why) return {};
  for (const Explanation& one : reading.at<Explained>(*why).processes) {
    if (one.pid == reading.supervisor() && !one.cause.empty()) return "; cause: " + one.cause;
  }
  return {};
}

}  // namespace

Verdict teardown_bounded(const History& history) {
  const Reading reading(history);
  if (reading.killed_from_outside()) return skipped("the rig killed the supervisor (SIGKILL): there was no teardown");
  const auto asked = reading.asked();
  if (!asked) return unknown("nothing asked for a teardown");
  const Nanos bound = case_of(history).bounds.teardown;
  const auto end = reading.supervisor_end();
  if (!end) {
    const auto deadline = reading.first<DeadlinePassed>([](const DeadlinePassed& passed) { return passed.what == "teardown"; });
    if (!deadline) return unknown("neither a conclusion nor a deadline was seen", {*asked});
    const Nanos waited = reading.time(*deadline) - reading.time(*asked);
    return broken("no conclusion " + text(waited) + " after it was asked for; the bound is " + text(bound) + cause_of_delay(reading),
                  {*asked, *deadline});
  }
  const Nanos late = reading.machine_late(*asked, *end);
  const Nanos took = reading.time(*end) - reading.time(*asked) - late;
  std::string because = "the supervisor ended " + text(took) + " after it was asked to; the bound is " + text(bound);
  if (late > Nanos{}) because += " (the machine was late by " + text(late) + ", not counted)";
  if (took <= bound) return held(because, {*asked, *end});
  return broken(because + cause_of_delay(reading), {*asked, *end});
}

}  // namespace forkproof::oracles
