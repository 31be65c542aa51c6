#include "harness/observe/arena_rest.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

constexpr Nanos stretch = std::chrono::milliseconds(20);
constexpr std::uint64_t looks_of_a_stretch = 5;
constexpr Nanos between_looks = std::chrono::milliseconds(2);
constexpr int pauses_for_a_look = 4;  // a look at many threads takes long: at most a fifth of PID 1's time goes to them
constexpr Nanos short_time = std::chrono::seconds(1);
constexpr Nanos clock_slack = std::chrono::milliseconds(20);  // a sleep ends a little after its time

Nanos of(const timespec& time) { return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec); }

/// A timeout in the memory of the process; a second where it cannot be read.
Nanos time_at(Pid pid, unsigned long address, Nanos unit) {
  long words[2] = {};
  iovec here{words, sizeof words};
  iovec there{reinterpret_cast<void*>(address), sizeof words};
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof words)) return short_time;
  constexpr long most = 1'000'000'000;  // seconds: more does not fit
  return std::chrono::seconds(std::clamp(words[0], 0L, most)) + words[1] * unit;
}

Nanos time_until(Pid pid, unsigned long address, clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return time_at(pid, address, Nanos(1)) - of(now);
}

bool is_short(Nanos time) { return time <= short_time; }
bool is_short_at(Pid pid, unsigned long address) { return address != 0 && is_short(time_at(pid, address, Nanos(1))); }
bool is_short_ms(unsigned long argument) {
  const int milliseconds = static_cast<int>(argument);
  return milliseconds >= 0 && is_short(std::chrono::milliseconds(milliseconds));
}

bool is_short_futex(Pid pid, const Thread& thread) {
  const unsigned long* a = thread.arguments;
  const unsigned long command = a[1] & FUTEX_CMD_MASK;
  if (a[3] == 0) return false;
  if (command == FUTEX_WAIT) return is_short_at(pid, a[3]);
  if (command != FUTEX_WAIT_BITSET) return false;
  return is_short(time_until(pid, a[3], (a[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC));
}

/// Whether a thread waits with a time limit that is over in a second (`man 2` of each call).
bool sleeps_shortly(Pid pid, const Thread& thread) {
  const unsigned long* a = thread.arguments;
  switch (thread.blocked ? thread.number : -1) {
    case SYS_nanosleep: return is_short_at(pid, a[0]);
    case SYS_clock_nanosleep:
      if ((static_cast<int>(a[1]) & TIMER_ABSTIME) == 0) return is_short_at(pid, a[2]);
      return is_short(time_until(pid, a[2], static_cast<clockid_t>(a[0])));
    case SYS_ppoll: return is_short_at(pid, a[2]);
    case SYS_pselect6: return is_short_at(pid, a[4]);
    case SYS_epoll_pwait: return is_short_ms(a[3]);
    case SYS_epoll_pwait2: return is_short_at(pid, a[3]);
    case SYS_rt_sigtimedwait: return is_short_at(pid, a[2]);
    case SYS_semtimedop: return is_short_at(pid, a[3]);
    case SYS_futex: return is_short_futex(pid, thread);
#ifdef SYS_poll
    case SYS_poll: return is_short_ms(a[2]);
    case SYS_select: return a[4] != 0 && is_short(time_at(pid, a[4], std::chrono::microseconds(1)));
    case SYS_epoll_wait: return is_short_ms(a[3]);
#endif
    case SYS_restart_syscall: return true;  // a sleep that was interrupted: for how long it goes on is not told
    default: return false;
  }
}

/// The last two fields of /proc/PID/syscall.
void read_pointers(const std::string& line, std::uint64_t* stack, std::uint64_t* code) {
  const std::size_t last = line.rfind(' ');
  const std::size_t before = last == std::string::npos || last == 0 ? std::string::npos : line.rfind(' ', last - 1);
  if (before == std::string::npos) return;
  *stack = std::strtoull(line.c_str() + before + 1, nullptr, 16);
  *code = std::strtoull(line.c_str() + last + 1, nullptr, 16);
}

std::string called(const std::string& name, Pid pid) { return fmt::format("{} {}", name, pid); }

}  // namespace

void ArenaRest::begin(Nanos now, Nanos undisturbed) {
  undisturbed_wanted_ = undisturbed;
  calm_since_ = undisturbed_since_ = now;
  next_look_ = Nanos{};
  looks_ = calm_looks_ = 0;
  disturbance_.clear(), sleeper_.clear();
  starvation_.begin();
  for (auto& [key, known] : known_) known.running_looks = 0;
}

void ArenaRest::add_process(Pid pid, std::vector<One>* all) const {
  const std::string path = "/proc/" + std::to_string(pid);
  const Fd folder = open_proc(path, O_PATH | O_DIRECTORY);
  if (!folder && !means_gone(errno)) fail("open " + path);
  const auto look = folder ? look_at(pid) : std::nullopt;
  if (!look || look->entry.state == "Z") return;  // it has ended, whether or not somebody has reaped it
  std::vector<SeenThread> threads;
  look_into(folder.get(), pid, &threads);
  const std::vector<Thread> calls = threads_of(pid);
  for (const SeenThread& thread : threads) {
    One one{thread, {}, false, look->entry.name, look->entry.parent};
    const auto call = std::find_if(calls.begin(), calls.end(), [&](const Thread& each) { return each.tid == thread.tid; });
    if (call != calls.end() && !call->blocked && !call->text.empty()) {
      one.thread.blocked = false;  // it was woken between the two reads
    } else if (call != calls.end()) {
      one.place.call = call->number;
      read_pointers(call->text, &one.place.stack, &one.place.code);
      one.short_sleep = !is_ours_(pid) && sleeps_shortly(pid, *call);
    }
    all->push_back(std::move(one));
  }
}

std::vector<ArenaRest::One> ArenaRest::everybody_now() {
  std::vector<One> all;
  for (const Pid pid : everybody(sealed_, root_)) {
    add_process(pid, &all);
    starvation_.look(pid, false);
  }
  return all;
}

void ArenaRest::disturbed(Nanos now, std::string how) {
  calm_since_ = undisturbed_since_ = now, calm_looks_ = 0;
  disturbance_ = std::move(how);
}

/// The first look at a thread. One that has come and gone before, as `sleep` does in a shell's loop, disturbs nobody.
void ArenaRest::meet(const One& one, Nanos now) {
  const Kin kin{one.parent, one.name};
  const auto before = came_and_went_.find(kin);
  Known& known = known_[{one.thread.pid, one.thread.tid}];
  known.name = one.name, known.parent = one.parent;
  known.comes_again = before != came_and_went_.end();
  known.last = one.place, known.turns = one.thread.turns, known.since = now;
  if (one.thread.blocked) known.places.insert(one.place);
  known.came_back = known.comes_again && before->second.contains(one.place.call);
  if (!known.comes_again) disturbed(now, called(one.name, one.thread.pid) + " had just been started");
}

void ArenaRest::see_again(const One& one, Known* known, Nanos now) {
  if (known->name != one.name) {  // an exec, or a new name
    const auto before = came_and_went_.find({one.parent, one.name});
    known->comes_again = before != came_and_went_.end();
    known->came_back = known->comes_again && before->second.contains(one.place.call);
    known->name = one.name, known->since = now;
    if (!known->comes_again) disturbed(now, called(one.name, one.thread.pid) + " had just begun to be that program");
  }
  if (!one.thread.blocked) return;
  const bool new_place = known->places.insert(one.place).second;
  if (new_place && !known->comes_again) disturbed(now, called(one.name, one.thread.pid) + " had gone on to another call");
  const bool ran = known->turns != one.thread.turns;
  if (ran && !new_place) known->came_back = true;
  if (ran || new_place) known->since = now;
  known->last = one.place, known->turns = one.thread.turns;
}

void ArenaRest::forget_the_ended(const std::vector<One>& all, Nanos now) {
  std::set<Key> here;
  for (const One& one : all) here.insert({one.thread.pid, one.thread.tid});
  for (auto each = known_.begin(); each != known_.end();) {
    if (here.contains(each->first)) {
      ++each;
      continue;
    }
    const Known& gone = each->second;
    came_and_went_[{gone.parent, gone.name}].insert(gone.last.call);
    if (!gone.comes_again) disturbed(now, called(gone.name, each->first.first) + " had just ended");
    each = known_.erase(each);
  }
}

void ArenaRest::compare(const std::vector<One>& all, Nanos now) {
  forget_the_ended(all, now);
  sleeper_.clear();
  wakers_ = 0;
  bool calm = true;
  std::set<Pid> processes;
  for (const One& one : all) {
    processes.insert(one.thread.pid);
    const auto known = known_.find({one.thread.pid, one.thread.tid});
    if (known == known_.end()) meet(one, now);
    else see_again(one, &known->second, now);
    Known& its = known_[{one.thread.pid, one.thread.tid}];
    calm &= one.thread.blocked;
    if (!one.thread.blocked) ++its.running_looks;
    if (its.came_back) ++wakers_;
    const bool first_sleep = one.short_sleep && !its.came_back && now - its.since <= short_time + clock_slack;
    if (first_sleep) sleeper_ = called(one.name, one.thread.pid);
  }
  processes_ = processes.size();
  if (!calm) calm_since_ = now, calm_looks_ = 0;
  else ++calm_looks_;
}

bool ArenaRest::look(Nanos now) {
  if (now < next_look_) return false;
  ++looks_, last_look_ = now;
  compare(everybody_now(), now);
  const Nanos took = monotonic_now() - now;
  next_look_ = now + std::max(between_looks, pauses_for_a_look * took);
  return sleeper_.empty() && calm_looks_ >= looks_of_a_stretch && now - calm_since_ >= stretch &&
         now - undisturbed_since_ >= stretch + undisturbed_wanted_;
}

std::string ArenaRest::proof() const {
  const std::string wakers = wakers_ == 0 ? "" : fmt::format("; {} of {} threads wake{} up now and then, and go back to the same call",
                                                             wakers_, known_.size(), wakers_ == 1 ? "s" : "");
  return fmt::format("{} {}, asleep at the same places for {}{}", processes_, processes_ == 1 ? "process" : "processes",
                     text(last_look_ - undisturbed_since_), wakers);
}

std::string ArenaRest::obstacle() const {
  const auto busiest = std::max_element(known_.begin(), known_.end(), [](const auto& left, const auto& right) {
    return left.second.running_looks < right.second.running_looks;
  });
  if (busiest != known_.end() && busiest->second.running_looks * 4 > looks_) {
    return fmt::format("{} was running in {} of {} looks", called(busiest->second.name, busiest->first.first),
                       busiest->second.running_looks, looks_);
  }
  if (!disturbance_.empty()) return disturbance_;
  return sleeper_.empty() ? "" : sleeper_ + " was in a short sleep";
}

}  // namespace forkproof::observe
