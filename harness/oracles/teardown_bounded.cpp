// Promise `teardown-bounded`. The bound is the sum of the waits that the profile declares plus a slack
// (harness/README.md, decision 9), so it grows with the time scale; what the machine was late by the canary's
// count is no fault of the subject. A command breaks it only where somebody asked it to end. One whose task
// has ended may have another copy of it, or start it again after a pause that is longer than the bound; a
// reload is no teardown.
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

Verdict never_ended(const History& history, const Reading& reading, std::size_t asked) {
  const Nanos bound = case_of(history).bounds.teardown;
  const auto deadline = reading.first<DeadlinePassed>([](const DeadlinePassed& passed) { return passed.what == "teardown"; });
  if (!deadline) return unknown("neither a conclusion nor a deadline was seen", {asked});
  return broken("no conclusion " + text(reading.between(asked, *deadline)) + " after it was asked for; the bound is " + text(bound) + cause_of_delay(reading),
                {asked, *deadline});
}

/// Nobody asked: what it does then is its own affair, but an end in time is one.
Verdict unasked(const History& history, const Reading& reading, std::size_t counted) {
  const std::string because = reading.at<TeardownAsked>(counted).because;
  const auto end = reading.supervisor_end();
  if (!end) return skipped("nobody asked the supervisor to end (" + because + "), and it went on");
  if (reading.at<TeardownAsked>(counted).cause != cause::task_ended) {
    return skipped("nobody asked the supervisor to end (" + because + "); it ended by itself");
  }
  const Nanos took = reading.between(counted, *end);
  if (took > case_of(history).bounds.teardown) return skipped("the supervisor ended " + text(took) + " after its task; nobody had asked it to");
  return held("the supervisor ended " + text(took) + " after its task; nobody had to ask", {counted, *end});
}

}  // namespace

Verdict teardown_bounded(const History& history) {
  const Reading reading(history);
  if (reading.killed_from_outside()) return skipped("the rig killed the supervisor (SIGKILL): there was no teardown");
  const auto asked = reading.owed();
  if (!asked) {
    if (const auto counted = reading.asked()) return unasked(history, reading, *counted);
    if (reading.is_command() && reading.first<FaultFired>()) return skipped("nobody asked the supervisor to end");
    return unknown("nothing asked for a teardown");
  }
  const auto end = reading.supervisor_end();
  if (!end) return never_ended(history, reading, *asked);
  if (*end < *asked) return held("the supervisor had ended before it was asked to", {*end, *asked});
  const Nanos bound = case_of(history).bounds.teardown;
  const Nanos late = std::min(reading.machine_late(*asked, *end), reading.between(*asked, *end));
  const Nanos took = reading.between(*asked, *end) - late;
  std::string because = "the supervisor ended " + text(took) + " after it was asked to; the bound is " + text(bound);
  if (late > Nanos{}) because += " (the machine was late by " + text(late) + ", not counted)";
  if (took <= bound) return held(because, {*asked, *end});
  return broken(because + cause_of_delay(reading), {*asked, *end});
}

}  // namespace forkproof::oracles
