// What the kernel shows of a signal that has not ended a process (`man 5 proc`, /proc/PID/status):
//   SigIgn has it                      it was thrown away when it was sent;
//   it is pending, state T             nothing but SIGCONT and SIGKILL reaches a stopped process;
//   it is pending, SigBlk has it       it waits until somebody unblocks it;
//   it is pending no more, SigCgt has  the handler has run, or stands still in the middle.
// A signal wakes whom it concerns in the very call that sends it. So who is still asleep afterwards, in a
// call without a time limit, was not woken by it; two looks that show the same make it certain that it has
// gone back to sleep for good.
#include "harness/observe/signal_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "harness/core/proc_root.h"
#include "harness/core/wait_status.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

constexpr Nanos longest_watch = std::chrono::seconds(2);

struct Status {
  bool there = false;
  char state = '?';
  bool stopped = false;
  unsigned long long pending = 0, blocked = 0, ignored = 0, caught = 0;
  std::string switches;
};

Status status_of(Pid pid) {
  ProcText file(fmt::format("/proc/{}/status", pid));
  Status status;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon), value = line.substr(colon + 2);
    const auto mask = [&value] { return std::strtoull(value.c_str(), nullptr, 16); };
    if (key == "State")
      status.there = true, status.state = value.empty() ? '?' : value[0], status.stopped = is_stopped(pid, value.substr(0, 1));
    else if (key == "SigPnd" || key == "ShdPnd")
      status.pending |= mask();
    else if (key == "SigBlk")
      status.blocked = mask();
    else if (key == "SigIgn")
      status.ignored = mask();
    else if (key == "SigCgt")
      status.caught = mask();
    else if (key == "voluntary_ctxt_switches" || key == "nonvoluntary_ctxt_switches")
      status.switches += value + " ";
  }
  return status;
}

/// A call that ends by itself only when something comes; by its number and, where it has one, its time limit.
bool has_no_time_limit(const Thread& thread) {
  static const std::set<long> never_limited{SYS_read,   SYS_pause, SYS_rt_sigsuspend, SYS_wait4,
                                            SYS_waitid, SYS_vfork, SYS_clone,         SYS_clone3};
  const unsigned long* a = thread.arguments;
  switch (thread.number) {
    case SYS_futex:
      return a[3] == 0;
    case SYS_poll:
      return static_cast<int>(a[2]) < 0;
    case SYS_ppoll:
    case SYS_rt_sigtimedwait:
      return a[2] == 0;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return static_cast<int>(a[3]) < 0;
    default:
      return never_limited.contains(thread.number);
  }
}

bool asleep_for_good(const std::vector<Thread>& threads) {
  return !threads.empty() && std::all_of(threads.begin(), threads.end(), [](const Thread& thread) {
    return thread.blocked && has_no_time_limit(thread);
  });
}

std::string signature(const Status& status, const std::vector<Thread>& threads) {
  std::string text =
      fmt::format("{} {:x} {:x} {}", status.state, status.pending, status.blocked, status.switches);
  for (const Thread& thread : threads)
    text += fmt::format(" {}:{}:{:x}", thread.tid, thread.number, thread.arguments[0]);
  return text;
}

struct Fate {
  const char* how;
  std::string because;
};

/// Why the signal does nothing, by one look; empty while it may still.
std::optional<Fate> fate(const Status& status, const std::vector<Thread>& threads, int signal) {
  const unsigned long long bit = 1ULL << (signal - 1);
  const std::string name = signal_name(signal);
  if ((status.ignored & bit) != 0)
    return Fate{"ignored", fmt::format("it ignores {} (SigIgn {:#x})", name, status.ignored)};
  const bool pending = (status.pending & bit) != 0, blocked = (status.blocked & bit) != 0;
  if (pending && status.stopped) {
    return Fate{"stopped", name + " is pending, and it is stopped: only SIGCONT or SIGKILL reaches it"};
  }
  if (!asleep_for_good(threads)) return std::nullopt;
  const std::string place = fmt::format("it is asleep in system call {} without a time limit (state {})",
                                        threads.front().number, status.state);
  if (pending && blocked) {
    return Fate{"blocked", fmt::format("{} is pending and blocked (ShdPnd {:#x}, SigBlk {:#x}), and {}", name,
                                       status.pending, status.blocked, place)};
  }
  if (pending || (status.caught & bit) == 0) return std::nullopt;
  const char* handler =
      blocked ? "its handler has been entered and has not returned" : "its handler has run and returned";
  return Fate{"handled",
              fmt::format("{} was taken: {} (SigCgt {:#x}); {}", name, handler, status.caught, place)};
}

}  // namespace

void SignalWatch::sent(Pid pid, const std::string& role, int signal) {
  watched_[pid] = {role, signal, monotonic_now(), {}};
}

std::optional<SignalWithoutEffect> SignalWatch::look() {
  for (auto& [pid, watched] : watched_) {
    const Status status = status_of(pid);
    if (!status.there || status.state == 'Z') continue;
    const std::vector<Thread> threads = threads_of(pid);
    const auto found = fate(status, threads, watched.signal);
    const std::string now = found ? signature(status, threads) : std::string();
    const bool twice = found && now == watched.last_look;
    watched.last_look = now;
    const bool late = monotonic_now() - watched.since > longest_watch;
    if (!twice && !late) continue;
    SignalWithoutEffect told{pid,
                             watched.role,
                             watched.signal,
                             twice ? found->how : "deadline",
                             twice,
                             twice ? found->because : "neither its end nor a reason was seen within 2 s"};
    watched_.erase(pid);
    return told;
  }
  return std::nullopt;
}

}  // namespace forkproof::observe
