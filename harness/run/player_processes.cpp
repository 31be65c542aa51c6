// What the kernel tells of processes, whatever they say: who has ended and how, who has inherited whom, who is stuck.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "harness/observe/set_aside.h"
#include "harness/run/player_class.h"

namespace forkproof::run {
namespace {

constexpr int starvation_ticks = 8;  // of watch_period
constexpr int enough_crashes = 20;  // of a master's workers that were not up yet: by then it is a loop

}  // namespace

void Player::ended(Pid pid) {
  Process* process = processes_.find(pid);
  if (process == nullptr || !process->alive) return;
  take_messages();  // what it said before it died was said before
  record_end(*process, observe::exit_status(pid, process->pidfd.get()));
}

void Player::reaped(Pid pid, WaitStatus status) {
  Process* process = processes_.find(pid);
  strangers_.reaped(pid, status);
  if (observe::is_set_aside(pid)) return void(launched_.launcher = -1);
  if (process == nullptr) return find_orphans_of(pid);  // a stranger, such as a shell, may have been somebody's parent
  if (process->alive) {
    take_messages();
    record_end(*process, status);
  }
  append(Reaped{::getpid(), pid, status, false});
}

/// Whoever ended before somebody else was looked at has ended before him, in whatever order the kernel tells it: a worker that
/// its master has reaped, and then the master.
void Player::take_ends() {
  for (const Pid pid : processes_.living()) {
    const Process* process = processes_.find(pid);
    pollfd end{process->pidfd ? process->pidfd.get() : -1, POLLIN, 0};
    if (process->alive && ::poll(&end, 1, 0) == 1) ended(pid);
  }
}

void Player::record_end(Process& process, std::optional<WaitStatus> status) {
  if (process.node == supervisor_node) look_who_starves();
  process.alive = false;
  if (process.node == supervisor_node) take_ends();
  starts_.ended(process.node, process.pid, monotonic_now());
  if (io_) io_->read_now();  // what it said before
  if (process.node == supervisor_node && io_ && is_command(part_.one)) tell_crash_line();
  if (process.node == supervisor_node) arena::end_launcher(launched_);
  if (process.pidfd) warden_.unwatch(process.pidfd.get());
  process.pidfd.reset();
  const bool prefork = is_prefork(part_.one);
  if (prefork && process.node == supervisor_node && !teardown_asked_) asks_teardown("the master gives up by itself");
  if (process.node == supervisor_node) strike_times_.supervisor_ends();
  append(Exited{process.pid, process.role, status.value_or(WaitStatus{}), status.has_value()});
  // Ends that were seen, not starts: the master is ahead of what the warden knows.
  if (prefork && process.node == 0 && !process.ready && ++crashes_at_start_ == enough_crashes) {
    enough_seen(fmt::format("{} workers died before they were up", enough_crashes));
  }
  watch_.ended(process.pid);
  if (gate_) gate_->ended(process.pid);
  find_orphans_of(process.pid);
  if (!processes_.anyone_alive(process.role)) holds_.role_is_gone(process.role);
  const bool command = is_command(part_.one);
  if (process.node == 0 && !prefork && !command) holds_.tree_is_settled(process.role + " is gone");
  if (process.node == 0 && !prefork && !teardown_asked_ && !(command && supervisor_gone_)) {
    asked_by_the_tasks_end_ = command;
    asks_teardown(command ? "the task has ended" : "the task has ended by itself", cause::task_ended);
  }
  if (process.node == 0) see_reload();
  if (process.node == supervisor_node) supervisor_gone_ = true, supervisor_gone_at_ = monotonic_now();
  supervisor_is_gone();
}

/// The kernel re-parents in the exit itself, before the pidfd becomes readable (exit_notify), so it is settled now.
void Player::find_orphans_of(Pid dead) {
  strangers_.find_orphans_of(dead);
  for (auto& [pid, process] : processes_) {
    if (!process.alive || process.parent != dead) continue;
    const auto look = observe::look_at(pid);
    if (!look || look->entry.parent == dead) continue;
    append(Reparented{pid, dead, look->entry.parent, look->entry.doomed});
    process.parent = look->entry.parent;
  }
}

/// Where nobody but the rig listens there is nothing to tell; at the end of the run that is told as well.
void Player::look_who_listens(const std::string& when) {
  ListenersSeen seen = observe::listeners_in_arena(when, part_.tier != arena::Tier::subreaper, ::getpid());
  if (!seen.listeners.empty() || !seen.trouble.empty()) append(std::move(seen));
}

void Player::tick_faults() {
  turns_.each(monotonic_now(), [this](faults::Fault& fault) { fault.tick(*this); });
}

/// What a crowded machine takes from the supervisor or its tree is not theirs. The canary's lateness may be the same time, so
/// only what goes beyond it is added.
void Player::look_who_starves() {
  if (!teardown_asked_ || supervisor_gone_) return;
  for (const auto& [pid, process] : processes_) {
    if (process.alive) starvation_.look(pid, process.node == supervisor_node);
  }
  const Nanos more = starvation_.so_far() - late_;
  if (more >= canary_tolerance) late_ += more, append(MachineLate{more});
}

void Player::watch_processes() {
  if (concluding_) return;
  watch_.look();
  if (++ticks_ % starvation_ticks == 0) look_who_starves();
  supervisor_is_gone();
  warden_.call_at(monotonic_now() + watch_period, [this] { watch_processes(); });
}

/// No census of a crowd that grows faster than it is counted: PID 1's end is the end of them all.
void Player::count_everybody() {
  if (ended_) return;
  const auto count = crowd_.too_many();
  if (!count) return warden_.call_at(monotonic_now() + watch_period, [this] { count_everybody(); });
  concluding_ = true;
  append(LimitReached{"processes", *count, crowd_.limit()});
  finish("the arena holds too many processes");
}

/// A process that is stuck comes up no more, so a process that waits for the tree goes on. A supervisor that is stuck itself
/// is told to end, but only where that is proved, or its time for the start is over: a signal on a suspicion would end a
/// subject that was about to go on.
void Player::is_stuck(Process& process, const observe::Finding& finding) {
  append(Stuck{process.pid, process.role, finding.how, finding.proved, finding.since - part_.origin, finding.because});
  holds_.tree_is_settled(process.role + " is stuck");
  const bool certain = finding.proved || finding.how == "deadline";
  if (process.node != supervisor_node || teardown_asked_ || !certain) return;
  end_from_outside(process, "the supervisor is stuck");
}

}  // namespace forkproof::run
