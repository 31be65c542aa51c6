#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/event.h"
#include "harness/faults/fault.h"
#include "harness/observe/arena_rest.h"

namespace forkproof::run {

/// When a command's faults may strike. A fault goes by an event: the tree is up, or the fault before it has struck. That
/// event is kept back from it until
///   1. the whole arena has come to rest, and stayed so for the case's `settle`; or the time for that is over;
///   2. the fault's own `delay` is over as well.
/// A model supervisor says itself where it is, so nothing is kept back from its faults. Passive: the player asks it about
/// each event, and ticks it. Borrows the case and its faults.
class StrikeTimes {
 public:
  struct Told {
    std::function<void(ArenaRested)> rested;
    std::function<void(std::size_t fault, const Event& event)> show;  ///< now the fault may see it
    std::function<void()> none_left;                                  ///< nothing is kept back any more
  };
  StrikeTimes(const Case& one, const std::vector<std::unique_ptr<faults::Fault>>& faults, observe::ArenaRest rest, Told told)
      : one_(one), faults_(faults), rest_(std::move(rest)), told_(std::move(told)) {}

  /// Whether this fault is to see that event later.
  bool keeps_back(std::size_t fault, const Event& event);
  void tick();
  /// It is about to be told that the supervisor has ended. A fault that waits for the one before it sees that it has struck.
  void supervisor_ends();
  [[nodiscard]] bool keeps_any() const { return !kept_.empty(); }
  /// ", and the arena is at rest": for the proof of a fault. Empty where nothing was waited for.
  [[nodiscard]] std::string told_of(std::size_t fault) const;

 private:
  struct Kept {
    std::size_t fault;
    Event event;
    std::optional<Nanos> rested_at;  ///< empty while the arena is waited for
  };
  [[nodiscard]] bool is_trigger(std::size_t fault, const Event& event) const;
  [[nodiscard]] Nanos delay_of(const Kept& kept) const;
  [[nodiscard]] Nanos patience() const;
  void look_at_arena(Nanos now);
  void show_what_is_due(Nanos now);

  const Case& one_;
  const std::vector<std::unique_ptr<faults::Fault>>& faults_;
  observe::ArenaRest rest_;
  Told told_;
  std::vector<Kept> kept_;
  bool tree_was_up_ = false;  // the first wait is over: those between two faults are shorter
  std::optional<Nanos> began_;  // the wait for rest; empty while none goes on
  std::optional<ArenaRested> last_;
};

}  // namespace forkproof::run
