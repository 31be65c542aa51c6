#pragma once
#include <map>
#include <optional>
#include <vector>

#include "harness/core/event.h"
#include "harness/observe/stuck.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {

/// Finds who is stuck in writing to a channel that its supervisor captures and does not read. That it does
/// not read is the supervisor's own word (CaptureOpened); that the writer is blocked, and that nobody else
/// holds an end to read from, is the kernel's. Costs nothing where every channel is read in time. Passive;
/// owned by the player.
class FullChannelWatch {
 public:
  void captured(const CaptureOpened& opened);
  /// One look. A finding is given once for each process.
  std::optional<Finding> look(Pid pid);
  /// It has ended: its number may be given anew.
  void forget(Pid pid) { seen_.erase(pid); }

 private:
  struct Suspicion {
    Thread thread;
    Nanos since{};
    std::uint64_t looks = 0;
    bool told = false;
  };
  [[nodiscard]] const CaptureOpened* unread(Pid pid, const Thread& thread) const;

  std::vector<CaptureOpened> unread_;
  std::map<Pid, Suspicion> seen_;
};

}  // namespace forkproof::observe
