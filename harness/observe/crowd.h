#pragma once
#include <cstddef>
#include <optional>

#include "harness/core/event.h"

namespace forkproof::observe {

/// Says when the arena holds more processes than it gives. Asked every millisecond, so it counts only when there can be
/// too many: no more than were there at the last count and have been started since, which the kernel tells by the last
/// pid that it gave (/proc/loadavg, `man 5 proc`). Passive; owned by the player.
class Crowd {
 public:
  /// `sealed`: the arena has a PID namespace. `root`: the warden.
  Crowd(bool sealed, Pid root, std::size_t limit) : sealed_(sealed), root_(root), limit_(limit) {}
  /// How many there are, when they are too many.
  std::optional<std::size_t> too_many();
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  bool sealed_;
  Pid root_;
  std::size_t limit_;
  std::size_t counted_ = 0;
  Pid last_pid_ = 0;
};

}  // namespace forkproof::observe
