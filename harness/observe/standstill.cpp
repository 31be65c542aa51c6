#include "harness/observe/standstill.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/observe/alarms.h"
#include "harness/observe/memory_shared.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

constexpr unsigned long long alarm_signal = 1ULL << (SIGALRM - 1);

bool all_blocked(const std::vector<SeenThread>& threads) {
  return std::all_of(threads.begin(), threads.end(), [](const SeenThread& each) { return each.blocked; });
}

/// A shell waits for its children in sigsuspend, and handles SIGCHLD.
bool waits_for_children(const ProcessWait& its, const ThreadWait& thread) {
  const auto child_ends = [](const Source& source) { return source.kind == Source::Kind::process; };
  return thread.thread.number == SYS_rt_sigsuspend && std::any_of(its.handlers.begin(), its.handlers.end(), child_ends);
}

}  // namespace

Standstill::Standstill(bool sealed, Pid root) : sealed_(sealed), root_(root), everyone_(walk(sealed, root)), channels_(everyone_) {}

const Standing* Standstill::see(Pid pid) const {
  const auto found = everyone_.find(pid);
  if (found == everyone_.end()) return nullptr;
  identify(&found->second);
  return &found->second;
}

const ProcessWait& Standstill::wait(Pid pid) {
  const auto known = waits_.find(pid);
  if (known != waits_.end()) return known->second;
  const Standing* standing = see(pid);
  if (standing == nullptr) {
    ProcessWait gone;
    gone.state = ProcessWait::State::zombie;
    return waits_[pid] = std::move(gone);
  }
  return waits_[pid] = wait_of(*standing, {everyone_, channels_, root_});
}

std::vector<Pid> Standstill::able(const Source& source) const {
  if (source.kind != Source::Kind::channel) return source.by;
  std::set<Pid> pids;
  for (const Channels::Holder& holder : channels_.other_side(source.channel, source.for_room, Channels::all)) pids.insert(holder.pid);
  return {pids.begin(), pids.end()};
}

/// Descriptors that no walk shows: those of a process that may not be looked into, those on their way through a socket,
/// and those that an io_uring keeps.
bool Standstill::descriptors_are_hidden() {
  if (hidden_) return *hidden_;
  hidden_ = false;
  for (auto& [pid, standing] : everyone_) {
    if (pid == root_) continue;
    identify(&standing);
    const bool ended = standing.state == "Z" && standing.threads <= 1;
    bool hides = (!standing.channels_read && !ended) || standing.io_uring;
    for (const OpenChannel& open : standing.channels) {
      if (!open.channel.socket || hides) continue;
      const auto on_the_way = descriptor_details(pid, open.fd, "scm_fds:");
      hides = !on_the_way.empty() && std::atoi(on_the_way.front().c_str()) > 0;
    }
    if (hides) *hidden_ = true;
  }
  return *hidden_;
}

bool Standstill::memory_is_shared(Pid pid) {
  const auto known = shares_.find(pid);
  return known != shares_.end() ? known->second : (shares_[pid] = shares_memory_with_anyone(pid));
}

bool Standstill::is_open(const Source& source) {
  switch (source.kind) {
    case Source::Kind::time: case Source::Kind::outside: return true;
    case Source::Kind::memory: return memory_is_shared(source.by.front());
    case Source::Kind::signal: return (source.signals & alarm_signal) != 0 && alarm_may_be_set();
    case Source::Kind::process: case Source::Kind::lock: case Source::Kind::object: {
      return std::any_of(source.by.begin(), source.by.end(), [this](Pid pid) { return pid == root_ || !everyone_.contains(pid); });
    }
    case Source::Kind::channel: break;
  }
  const std::vector<Pid> pids = able(source);
  // The other end of what is blocked exists, so where no process here has it, one elsewhere does.
  return pids.empty() || std::find(pids.begin(), pids.end(), root_) != pids.end() || descriptors_are_hidden();
}

/// By itself, whatever the other processes of the arena do.
bool Standstill::is_open(Pid pid) {
  const auto known = open_.find(pid);
  if (known != open_.end()) return known->second;
  const ProcessWait& its = wait(pid);
  // What a tracer holds goes on when the tracer lets go of it. Of a dead one the parent hears only then (man 2 ptrace).
  const bool zombie = its.state == ProcessWait::State::zombie;
  const Standing* one = see(pid);
  const bool may_be_held = zombie || (one != nullptr && one->state == "t");
  if (may_be_held && std::atoi(status_field(pid, "TracerPid").c_str()) != 0) return open_[pid] = true;
  if (zombie) return open_[pid] = false;
  const auto opens = [this](const Source& source) { return is_open(source); };
  bool open = its.state == ProcessWait::State::runs || std::any_of(its.handlers.begin(), its.handlers.end(), opens);
  for (const ThreadWait& thread : its.threads) open = open || std::any_of(thread.any_of.begin(), thread.any_of.end(), opens);
  return open_[pid] = open;
}

/// Processes that could wake it by something else than a signal sent by hand. A handler for SIGCHLD counts where the process
/// waits on a set: such a handler writes to one of the descriptors.
std::vector<Pid> Standstill::wakers(Pid pid) {
  std::set<Pid> all;
  const auto add = [&](const Source& source) {
    for (const Pid each : able(source)) {
      if (wait(each).state != ProcessWait::State::zombie) all.insert(each);
    }
  };
  const ProcessWait& its = wait(pid);
  bool on_a_set = false;
  for (const ThreadWait& thread : its.threads) {
    std::for_each(thread.any_of.begin(), thread.any_of.end(), add);
    on_a_set |= thread.on_a_set;
  }
  if (on_a_set) std::for_each(its.handlers.begin(), its.handlers.end(), add);
  return {all.begin(), all.end()};
}

bool Standstill::anybody_can_go_on() {
  if (anybody_) return *anybody_;
  // As long as one process is open, all that wait for it or handle signals can go on as well; without one, none can.
  for (auto& [pid, standing] : everyone_) identify(&standing);
  anybody_ = std::any_of(everyone_.begin(), everyone_.end(), [this](const auto& each) { return each.first != root_ && is_open(each.first); });
  return *anybody_;
}

bool Standstill::alarm_may_be_set() {
  if (!alarm_) alarm_ = an_alarm_may_be_set();
  return *alarm_;
}

std::vector<SeenThread> Standstill::seen(const std::vector<Pid>& pids) const {
  std::vector<SeenThread> threads;
  for (const Pid pid : pids) {
    const Fd folder = open_proc(fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY);
    if (folder) look_into(folder.get(), pid, &threads);
  }
  return threads;
}

void Standstill::look_anew() {
  everyone_ = walk(sealed_, root_);
  channels_ = Channels(everyone_);
  waits_.clear(), open_.clear(), shares_.clear();
  hidden_.reset(), anybody_.reset(), alarm_.reset();
}

/// False when it is idle, or can go on: then there is no circle.
bool Standstill::add_member(Pid pid, Circle* circle) {
  const ProcessWait& its = wait(pid);
  if (its.state != ProcessWait::State::blocked) return false;
  for (const ThreadWait& thread : its.threads) {
    const auto by_signal = [](const Source& source) { return source.kind == Source::Kind::signal; };
    const bool idle = std::all_of(thread.any_of.begin(), thread.any_of.end(), by_signal) && !waits_for_children(its, thread);
    if (idle || (thread.on_a_set && its.handled != 0)) return false;
    for (const Source& source : thread.any_of) {
      circle->half_done |= source.for_room || source.kind == Source::Kind::lock;
      circle->in_one_call |= !thread.on_a_set && source.kind != Source::Kind::memory;
    }
  }
  circle->rests_on_signals |= !its.handlers.empty() || its.handled != 0;
  circle->members.push_back(pid);
  return true;
}

Standstill::Circle Standstill::candidate(Pid pid) {
  Circle circle;
  if (!add_member(pid, &circle)) return {};
  for (std::size_t i = 0; i < circle.members.size(); ++i) {
    const std::vector<Pid> from = wakers(circle.members[i]);
    if (from.empty()) return {};
    for (const Pid each : from) {
      if (each == root_ || !everyone_.contains(each)) return {};
      const bool is_new = std::find(circle.members.begin(), circle.members.end(), each) == circle.members.end();
      if (is_new && !add_member(each, &circle)) return {};
    }
  }
  if (circle.members.size() == 1 && !circle.in_one_call) return {};
  return circle;
}

bool Standstill::holds_together(const Circle& circle) {
  for (const Pid pid : circle.members) {
    const bool idle_perhaps = !from_keyboard_only(wait(pid).handled) && !circle.half_done;
    if (idle_perhaps || is_open(pid)) return false;
  }
  return !alarm_may_be_set() && !(circle.rests_on_signals && anybody_can_go_on());
}

std::vector<Pid> Standstill::circle_from(Pid pid) {
  const Circle first = candidate(pid);
  if (first.members.empty()) return {};
  std::vector<Pid> concerned = first.rests_on_signals ? everybody(sealed_, root_) : first.members;
  std::sort(concerned.begin(), concerned.end());
  // What was read so far may be of several moments. Only what is read between these two readings counts.
  const std::vector<SeenThread> before = seen(concerned);
  if (!all_blocked(before)) return {};
  look_anew();
  const Circle circle = candidate(pid);
  if (circle.members != first.members || !holds_together(circle) || seen(concerned) != before) return {};
  return circle.members;
}

std::string Standstill::proof() {
  std::vector<Pid> all = everybody(sealed_, root_);
  const std::vector<SeenThread> before = seen(all);
  if (all.empty() || !all_blocked(before)) return {};
  look_anew();
  if (anybody_can_go_on() || alarm_may_be_set()) return {};
  if (everybody(sealed_, root_) != all || seen(all) != before) return {};
  const auto living = std::count_if(all.begin(), all.end(), [this](Pid pid) { return wait(pid).state != ProcessWait::State::zombie; });
  if (living == 0) return {};
  return living == 1 ? "it is blocked, and neither a process nor a timer is left that could wake it"
                     : fmt::format("all {} are blocked, and neither a process nor a timer is left that could wake one", living);
}

void StandstillWatch::look() {
  constexpr Nanos least_between = std::chrono::milliseconds(4);
  const Nanos began = monotonic_now();
  if (began < next_ || !proof_.empty()) return;
  proof_ = Standstill(sealed_, root_).proof();
  const Nanos now = monotonic_now();
  next_ = now + std::max(least_between, 8 * (now - began));
}

}  // namespace forkproof::observe
