// When a run is over: the deadlines, the supervisor's end, the last census, and what is looked at then.
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "harness/observe/standstill.h"
#include "harness/run/player_class.h"

namespace forkproof::run {
namespace {

constexpr Nanos census_patience = std::chrono::seconds(10);
constexpr Nanos last_word_patience = std::chrono::seconds(1);  // of who has connected, to say what it has to say
constexpr Nanos time_to_follow = std::chrono::seconds(2);  // twice the second in which many look for their parent


}  // namespace

/// The deadline is put off by what the machine lost; `granted` is what it was put off by already.
void Player::teardown_deadline(std::uint64_t asked, Nanos granted) {
  if (concluding_ || asked != times_asked_) return;
  look_who_starves();
  if (late_ > granted) {
    const Nanos late = late_;
    warden_.call_at(monotonic_now() + (late - granted), [this, asked, late] { teardown_deadline(asked, late); });
    return;
  }
  append(DeadlinePassed{"teardown"});
  if (before_the_reload_) return end_unasked("the time for a teardown is over, and nobody asked for one");
  conclude("deadline", "the time for the teardown is over");
}

/// What keeps a supervisor that has not concluded by now is looked at now: at the deadline it may be another thing.
void Player::bound_is_over(std::uint64_t asked) {
  if (concluding_ || supervisor_gone_ || asked != times_asked_) return;
  for (auto& [pid, process] : processes_) {
    if (process.node != supervisor_node || !process.alive) continue;
    return explain("bound", {pid});
  }
}

/// Of a process that computes, what it waits for is no explanation: it is running.
void Player::explain(const std::string& when, const std::vector<Pid>& about) {
  Explained why = observe::explain(when, about, strangers_.known(), part_.tier != arena::Tier::subreaper, ::getpid());
  for (Explanation& each : why.processes) {
    const std::string running = each.state == "gone" ? "" : watch_.running(each.pid);
    if (running.empty()) continue;
    std::replace(each.chain.begin(), each.chain.end(), each.stuck_in, "is " + running);
    each.stuck_in = "is " + running;
  }
  if (when != "bound") why.proof = standstill_.proof();
  append(std::move(why));
}

/// The end of the run, unless a fault has a question yet.
void Player::supervisor_is_gone() {
  const auto& faults = part_.faults;
  const bool asking = std::any_of(faults.begin(), faults.end(), [](const auto& fault) { return fault->waits_for_answer(); });
  if (!supervisor_gone_ || asking || has_time_to_follow()) return;
  conclude("conclusion", "the supervisor has ended");
}

/// Whether somebody is left behind a command, and may still end by itself: at once, like whoever waits for the end of a
/// pipe or looks who its parent is (python's resource tracker, gunicorn's worker), and after a SIGKILL in the whole bound.
/// Where it is proved that nobody can, nobody is waited for.
bool Player::has_time_to_follow() {
  if (!is_command(part_.one)) return false;
  const bool is_over = monotonic_now() - supervisor_gone_at_ >= time_to_follow;
  if (is_over && !(supervisor_killed_ && teardown_asked_)) return false;
  if (observe::everybody(part_.tier != arena::Tier::subreaper, ::getpid()).empty()) return false;
  if (!concluding_) standstill_.look();
  return standstill_.proof().empty();
}

/// A command was told something that asks for no end. What it makes of that is seen when its tree is gone and up again, or
/// when the bound is over.
void Player::watch_for_a_reload() {
  before_the_reload_.emplace();
  for (const auto& [pid, process] : processes_) {
    if (process.node == 0 && process.alive) before_the_reload_->insert(pid);
  }
  up_again_.emplace();
}

void Player::see_reload() {
  if (!before_the_reload_ || !up_again_ || up_again_->size() != orders_.size()) return;
  for (const Pid pid : *before_the_reload_) {
    const Process* process = processes_.find(pid);
    if (process != nullptr && process->alive) return;
  }
  end_unasked("its tree is gone, and up again");
}

/// A run without an end of its own is ended by the rig. A subject that the scenario has stopped goes on first.
void Player::end_unasked(const std::string& because) {
  before_the_reload_.reset();
  for (auto& [pid, process] : processes_) {
    if (process.node != supervisor_node || !process.alive) continue;
    const auto look = observe::look_at(pid);
    if (look && observe::is_stopped(pid, look->entry.state)) signal(pid, SIGCONT);
    return end_from_outside(process, because);
  }
  conclude("deadline", because);
}

void Player::end_from_outside(Process& supervisor, const std::string& because) {
  asks_teardown(because + ": the rig sends it SIGTERM", cause::rig);
  append(Signalled{::getpid(), supervisor.pid, SIGTERM, 0});
  ::kill(supervisor.pid, SIGTERM);
}

/// A prefork master ends by nothing that its workers do: it is ended once its workers are up, or clearly never will be.
void Player::enough_seen(const std::string& because) {
  if (teardown_asked_ || concluding_) return;
  for (auto& [pid, process] : processes_) {
    if (process.node == supervisor_node && process.alive) return end_from_outside(process, because);
  }
}

/// Nobody was proved stuck, and yet nothing happens: said of the first that should have come on, by the deadline.
void Player::startup_is_over() {
  if (teardown_asked_ || concluding_ || strike_times_.keeps_any() || monotonic_now() < startup_ends_) return;
  append(DeadlinePassed{"startup"});
  if (is_command(part_.one)) return nobody_asked();  // it owes us no start
  if (const std::string held = holds_.who_is_held(); !held.empty()) append(Trouble{"holds", held + ", which has not come about"});
  for (auto& [pid, process] : processes_) {
    const bool waited_for = process.node == supervisor_node || (process.node >= 0 && !process.ready);
    if (!process.alive || !waited_for) continue;
    if (process.node == supervisor_node && nodes_ready_ == 0 && processes_.anyone_alive(part_.one.tree.role)) continue;
    // What was said may make somebody ask for a teardown; where nobody does, there is nothing more to wait for.
    warden_.call_at(monotonic_now() + part_.one.bounds.startup, [this] { nobody_asked(); });
    return is_stuck(process, {"deadline", false, monotonic_now() - part_.one.bounds.startup, watch_.describe(pid)});
  }
  nobody_asked();
}

void Player::nobody_asked() {
  if (!teardown_asked_) conclude("deadline", "nothing asked for a teardown in time");
}

void Player::conclude(const std::string& when, const std::string& because) {
  if (std::exchange(concluding_, true)) return;
  take_ends();
  census_.take(when, census_patience, [this, because](CensusTaken census) {
    append(census);
    if (is_command(part_.one)) append(observe::listeners_in_arena(census.when, part_.tier != arena::Tier::subreaper, ::getpid()));
    explain_who_is_left(census);
    probe_listener();
    hear_last_words(because, monotonic_now() + last_word_patience);
  });
}

/// Who was interrupted between connecting and speaking is heard before the end: what it says may be what matters.
void Player::hear_last_words(const std::string& because, Nanos give_up) {
  take_messages();
  const std::vector<Pid> silent = control_.silent();
  if (!silent.empty() && monotonic_now() < give_up) {
    return warden_.call_at(monotonic_now() + watch_period, [this, because, give_up] { hear_last_words(because, give_up); });
  }
  for (const Pid pid : silent) {
    const Process* who = processes_.find(pid);
    append(Trouble{"control socket", fmt::format("{} (pid {}) has connected and said nothing", who ? who->role : "somebody", pid)});
  }
  finish(because);
}

void Player::explain_who_is_left(const CensusTaken& census) {
  std::vector<Pid> left;
  for (const CensusEntry& entry : census.processes) left.push_back(entry.pid);
  if (!left.empty()) explain(census.when, left);
}

/// Who holds the supervisor's listener when it is gone, and what its port is like from outside.
void Player::probe_listener() {
  if (!listener_ || !supervisor_gone_) return;
  for (DescriptorHeld& held : observe::holders_of(*listener_)) append(std::move(held));
  append(observe::probe_bind(listener_->port));
  append(observe::probe_connect(listener_->port));
}

/// Told once: when the command has ended, so that what its children print after it does not count, or else at the end.
void Player::tell_crash_line() {
  if (std::exchange(crash_line_told_, true)) return;
  auto found = io_->crash_line();
  if (!found) return;
  found->since -= part_.origin;
  append(std::move(*found));
}

void Player::tell_output() {
  tell_crash_line();
  append(io_->output());
  const auto came_out = io_->task_output();
  if (came_out) append(OutputCounted{supervisor_pid_, "stdout", "came out", *came_out});
}

void Player::finish(const std::string& because) {
  take_messages();
  warden_.reap();  // also what the supervisor left dead behind it
  if (io_) io_->read_now();
  if (io_ && is_command(part_.one)) tell_output();
  strangers_.tell_what_was_missed();
  turns_.each(monotonic_now(), [this](faults::Fault& fault) {
    if (const auto by = fault.heals_by(); by.signal != 0) append(Signalled{::getpid(), by.pid, by.signal, 0});
    fault.heal();
    append(FaultHealed{turns_.speaker()});
  });
  append(RunEnded{because, history_.count() + 1});  // and the case itself, written before we were
  ended_ = true;
  warden_.stop();
}

}  // namespace forkproof::run
