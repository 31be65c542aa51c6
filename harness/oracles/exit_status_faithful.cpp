// Promise `exit-status-faithful`: what the supervisor took for its task's end against the kernel's own record (the
// zombie in /proc, or the pidfd once it was reaped).
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

namespace {

/// The status that a shell would give: a signal n as 128 + n.
int as_a_shell_says(WaitStatus status) { return status.signalled() ? 128 + status.signal() : status.code(); }

/// A command tells what it took by its own exit alone. Only of one that says it passes its task's status on is that asked.
Verdict by_its_own_exit(const History& history, const Reading& reading) {
  const auto truth = reading.last_exit_of_task();
  const auto own = reading.supervisor_end();
  if (!truth || !own || !reading.at<Exited>(*truth).known) return skipped("the command tells nothing of its task's exit status");
  const WaitStatus task = reading.at<Exited>(*truth).status, command = reading.at<Exited>(*own).status;
  const std::string both = "the task's end was " + task.text() + ", the command's " + command.text();
  const std::vector<std::size_t> evidence{*truth, *own};
  const bool is_equal = as_a_shell_says(task) == as_a_shell_says(command) && *truth < *own;
  if (!std::get<Command>(case_of(history).subject).passes_exit_status) {
    // Of a success it cannot be told where it comes from.
    if (is_equal && !task.success() && !reading.killed_from_outside()) return held(both, evidence);
    return skipped("whether the command passes its task's exit status on is not known: " + both);
  }
  if (reading.killed_from_outside()) return skipped("the rig killed the command (SIGKILL): " + both);
  // One that died of another signal than its task passed nothing on, and who of them was dead first is chance. One that
  // raises its task's signal against itself has.
  if (command.signalled() && !command.same_end(task)) return skipped("the command itself died of a signal: " + both);
  if (*own < *truth) return skipped("the command ended before its task, and took no status: " + both);
  if (is_equal) return held(both, evidence);
  return broken(both + "; it says that it passes that on (a signal n as 128 + n)", evidence);
}

}  // namespace

Verdict exit_status_faithful(const History& history) {
  const Reading reading(history);
  const Pid task = reading.task();
  const auto taken = reading.first<Reaped>(
      [&](const Reaped& reaped) { return reaped.pid == task && reaped.by == reading.supervisor() && task != 0; });
  if (!taken && reading.is_command()) return by_its_own_exit(history, reading);
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
