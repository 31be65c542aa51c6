// Promise `exit-status-faithful`: what the supervisor took for its task's end against the kernel's own record (the
// zombie in /proc, or the pidfd once it was reaped).
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

Verdict exit_status_faithful(const History& history) {
  const Reading reading(history);
  const Pid task = reading.task();
  const auto taken = reading.first<Reaped>(
      [&](const Reaped& reaped) { return reaped.pid == task && reaped.by == reading.supervisor() && task != 0; });
  if (!taken) return skipped("the supervisor took no exit status of its task");
  const auto truth = reading.exit_of(task);
  if (!truth || !reading.at<Exited>(*truth).known) return unknown("the kernel's exit status was not seen", {*taken});
  const WaitStatus status = reading.at<Exited>(*truth).status;
  const Reaped& reaped = reading.at<Reaped>(*taken);
  if (reaped.vanished) {
    return broken("the task had vanished for the supervisor (ECHILD), while the kernel has " + status.text(),
                  {*truth, *taken});
  }
  if (!reaped.status.same_end(status)) {
    return broken("the supervisor took " + reaped.status.text() + ", the kernel has " + status.text(), {*truth, *taken});
  }
  return held(status.text() + ", as the kernel has it", {*truth, *taken});
}

}  // namespace forkproof::oracles
