#pragma once
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "harness/core/duration.h"
#include "harness/core/event.h"
#include "harness/core/fd.h"
#include "harness/core/wait_status.h"

namespace forkproof::arena {

/// PID 1's loop: one thread, one epoll, over descriptors, timers and dead children. Active: `run` blocks. It knows no
/// case; whoever owns it gives it callbacks. Callbacks may watch, unwatch and stop.
class Warden {
 public:
  Warden();
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  /// Calls `ready` whenever `fd` is readable. The owner keeps `fd` open until it is unwatched.
  void watch(int fd, std::function<void()> ready);
  void unwatch(int fd);
  /// Calls `due` once at `when` (CLOCK_MONOTONIC), or as soon after as the machine allows.
  void call_at(Nanos when, std::function<void()> due);
  /// Calls `dead` for each child that was reaped, also adopted ones.
  void on_reaped(std::function<void(Pid, WaitStatus)> dead) { reaped_ = std::move(dead); }
  /// From now on processes that this one traces (`man 2 ptrace`) are waited for as well: `stopped` gets each stop of a
  /// tracee, with its whole wait status, and must let it go on; `ended` gets the end of one that is somebody else's child,
  /// who can still reap it. Ends of own children are told by on_reaped, traced or not.
  void on_traced(std::function<void(Pid, int)> stopped, std::function<void(Pid, WaitStatus)> ended);
  /// A timer every `period` whose lateness beyond `tolerance` is told: time that the machine lost, not the subject.
  void keep_canary(Nanos period, Nanos tolerance, std::function<void(Nanos)> late);

  /// What to do when nothing has been ready for a moment, once that is asked for: it returns how long the next such
  /// moment is to be (under a second), or nothing: not again.
  void on_idle(std::function<std::optional<Nanos>()> idle) { idle_ = std::move(idle); }
  /// Asks for it, as soon as nothing is ready.
  void call_when_idle() { idle_after_ = Nanos{}; }

  /// Reaps who is dead now, but no more than `most`; true when there may be more. `run` does so by itself, a few at a time:
  /// where they die as fast as they are reaped, timers and descriptors are due as well.
  bool reap(std::size_t most = 100'000);
  void run();
  void stop() { running_ = false; }

 private:
  void beat();
  void reap_some();
  void arm_timer();
  void timer_fired();
  bool take_stops();
  bool take_end();
  void sing(Nanos due, Nanos period, Nanos tolerance, std::function<void(Nanos)> late);

  Fd epoll_, signals_, timer_;
  struct Watch {
    std::uint32_t generation;  ///< tells a watch from an earlier one of the same number
    std::function<void()> ready;
  };
  std::unordered_map<int, Watch> watched_;
  std::uint32_t generation_ = 0;
  std::multimap<Nanos, std::function<void()>> calls_;
  std::function<void(Pid, WaitStatus)> reaped_;
  std::function<std::optional<Nanos>()> idle_;
  std::optional<Nanos> idle_after_;
  std::function<void(Pid, int)> stopped_;
  std::function<void(Pid, WaitStatus)> traced_end_;
  bool running_ = true;
};

}  // namespace forkproof::arena
