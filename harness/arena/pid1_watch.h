#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/arena/heartbeat.h"

namespace forkproof::arena {

/// The keeper's hold on PID 1: it traces PID 1, and counts its heartbeats. Passive: the keeper calls it.
///
/// A process has one tracer at most. So no command, root or not, can attach to PID 1 and hold it. The kernel
/// shows every signal for PID 1 to the keeper first, which drops it: neither SIGSTOP nor anything else from
/// outside stops PID 1. Where tracing is refused (Yama, a filter, the rig itself is traced), a stopped PID 1
/// is continued with SIGCONT.
class Pid1Watch {
 public:
  static constexpr Nanos look_period = std::chrono::seconds(1);
  static constexpr int most_looks_without_beat = 10;

  /// PID 1 is a child of this process. dies_with_us: the kernel kills PID 1 when this process ends.
  Pid1Watch(pid_t pid1, const Heartbeat& heartbeat, bool dies_with_us);

  /// Lets PID 1 go on where a signal has stopped it. Called when SIGCHLD has come.
  void take_stops();
  /// Called once a look_period. Why PID 1 has to be given up; empty while it lives, or works.
  std::string look();

 private:
  void stopped_at(int signal, bool at_delivery);
  void deliver_fault(int signal);
  [[nodiscard]] std::string state() const;

  pid_t pid1_;
  const Heartbeat& heartbeat_;
  bool traced_;
  std::uint64_t last_beats_ = 0;
  int looks_without_beat_ = 0;
  bool fault_delivered_ = false;
};

}  // namespace forkproof::arena
