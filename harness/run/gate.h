#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/arena/control_socket.h"
#include "harness/core/event.h"
#include "harness/observe/quiet.h"
#include "harness/run/pick.h"

namespace forkproof::run {

/// Where processes of ours wait under a schedule, and go on one at a time. Each step:
///   1. whoever announces something that is answered comes in and waits;
///   2. the arena is looked at until it has come to rest: everybody waits here or is blocked in the kernel;
///   3. the schedule says who goes; that one is told to the history, then answered.
/// What lies between two announcements stays the kernel's. Passive: the player brings who arrives and calls `look` when
/// it has nothing else to do.
class Gate {
 public:
  /// A step is about to be made; `took`: how long that has taken us since the last arrival or step.
  using Told = std::function<void(Scheduled, Nanos took)>;
  Gate(Pick pick, observe::Quiet quiet, Told told) : pick_(std::move(pick)), quiet_(quiet), told_(std::move(told)) {}

  /// `orders` is what it will be answered.
  void arrive(arena::Message message, const Orders& orders, WaitingAt who);
  /// It is dead, and waits no more.
  void ended(Pid pid);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// One look, and with it perhaps one step. Returns after how long it wants to be called again; nothing: not before
  /// somebody has arrived.
  std::optional<Nanos> look();

  /// A step is made also where somebody still runs, when that one has had the processor for so long: one that spins
  /// would hold up everybody. And when it took so long altogether, whatever the reason.
  static constexpr Nanos longest_run = std::chrono::milliseconds(20), longest_wait = std::chrono::seconds(1);

 private:
  struct Waiting {
    arena::Message message;
    Orders orders;
    WaitingAt who;
  };
  void drop_the_dead();
  void let_one_go(bool settled);

  Pick pick_;
  observe::Quiet quiet_;
  Told told_;
  std::vector<Waiting> waiting_;  // in the order of their letters' places, then of their pids
  Nanos since_{};                 // the last arrival or step
};

}  // namespace forkproof::run
