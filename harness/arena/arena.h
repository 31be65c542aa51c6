#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "harness/arena/tier.h"
#include "harness/core/duration.h"
#include "harness/core/fd.h"

namespace forkproof::arena {

/// What runs in an arena. The functions are called in processes that are forked for them, in this order.
struct Contents {
  /// In the keeper, before the warden exists: starts the servers and returns their pids. They stand outside the PID
  /// namespace, so that no kill(-1) of a subject reaches them, and inside the network namespace.
  std::function<std::vector<pid_t>()> outside;
  /// In PID 1 of the arena. Its return value is the arena's exit code.
  std::function<int()> inside;
  /// After this long the keeper ends the arena whatever happens: the last resort against a wedged warden. 0: never.
  Nanos at_most{std::chrono::minutes(5)};
  Privacy privacy = Privacy::all;
};

/// An open arena, held by the process that opened it. Passive: its owner polls `keeper` and then calls `finish`.
/// Dropping it ends the arena.
class Arena {
 public:
  /// Forks the keeper, which makes namespaces and cgroup and starts the contents. Throws HarnessFailure when even
  /// the keeper cannot be made; what fails later shows as the arena's exit.
  Arena(const Provision& provision, const Contents& contents);
  Arena(Arena&&) noexcept = default;
  Arena& operator=(Arena&&) = delete;
  ~Arena();

  /// Readable when the keeper, and with it everything in the arena, is gone.
  [[nodiscard]] int pidfd() const { return keeper_.get(); }
  /// Asks the keeper to end the arena now. It ends what is inside, then itself.
  void end() const;
  /// Continues a keeper that somebody has stopped. Its owner calls this now and then while it polls.
  void keep_going() const;
  static constexpr int milliseconds_between_looks = 250;
  /// Blocks until the keeper is gone, sees that the cgroup is too, and returns the exit code (70: cut off).
  int finish();

 private:
  Tier tier_;
  std::string cgroup_;
  pid_t pid_ = -1;
  Fd keeper_;
};

/// Fork for a server or a subject of ours: the child dies with its parent, whatever kills that. In the child `body`
/// runs and its result is the exit code.
pid_t fork_bound(const std::function<int()>& body);

}  // namespace forkproof::arena
