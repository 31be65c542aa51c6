#pragma once
#include <functional>
#include <string>

#include "harness/core/event.h"
#include "harness/observe/full_channel.h"
#include "harness/observe/signal_watch.h"
#include "harness/observe/stuck.h"
#include "harness/run/process_table.h"

namespace forkproof::run {

/// Looks again and again at what no event tells: who can go on no more, what became of a signal from outside, and
/// whatever a fault waits for. Passive: the player calls `look` every period and is told what was found.
class Watch {
 public:
  struct Told {
    std::function<void(Process&, const observe::Finding&)> is_stuck;
    std::function<void(SignalWithoutEffect)> stays;
    std::function<void()> faults_turn;  ///< each of them ticks
  };
  /// Borrows the table. `sealed` and `root` as in observe::everybody().
  Watch(ProcessTable& processes, bool sealed, Pid root, Told told)
      : processes_(processes), told_(std::move(told)), stuck_(sealed, root) {}

  void look();
  /// A signal was sent to a task from outside.
  void signalled(const Process& process, int signal) { signals_.sent(process.pid, process.role, signal); }
  void captured(const CaptureOpened& opened) { full_channels_.captured(opened); }
  /// Its number may be given anew: what was seen of it is forgotten.
  void ended(Pid pid) { signals_.ended(pid), stuck_.forget(pid), full_channels_.forget(pid); }
  /// "running: 2.31 s of CPU time, no system call seen"; empty when it waits.
  [[nodiscard]] std::string running(Pid pid) const { return stuck_.running(pid); }
  /// What it is doing, for whom a deadline passed without a proof.
  [[nodiscard]] std::string describe(Pid pid) const { return stuck_.describe(pid); }

 private:
  void look_for_stuck();

  ProcessTable& processes_;
  Told told_;
  observe::StuckWatch stuck_;
  observe::FullChannelWatch full_channels_;
  observe::SignalWatch signals_;
  Pid looked_at_last_ = 0;  // the next round of looks goes on behind it
};

}  // namespace forkproof::run
