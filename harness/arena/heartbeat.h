#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

#include "harness/core/duration.h"

namespace forkproof::arena {

/// A counter in memory that PID 1 of an arena shares with its keeper. The warden raises it, the keeper looks
/// at it: a PID 1 that is stopped, frozen or wedged raises nothing. Passive. Made by the keeper before it
/// forks PID 1.
class Heartbeat {
 public:
  static constexpr Nanos period = std::chrono::milliseconds(250);

  Heartbeat();
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void beat() const { count_->fetch_add(1, std::memory_order_relaxed); }
  /// 0 until PID 1 has a warden that runs.
  [[nodiscard]] std::uint64_t beats() const { return count_->load(std::memory_order_relaxed); }

  /// From now on this process is the one whose wardens beat here. Forked children are not meant, and must not
  /// run one.
  void is_mine() const;
  /// Null in a process that has none.
  static const Heartbeat* mine();

 private:
  std::atomic<std::uint64_t>* count_;
};

}  // namespace forkproof::arena
