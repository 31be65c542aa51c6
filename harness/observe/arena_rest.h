#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/event.h"
#include "harness/observe/quiet.h"
#include "harness/observe/starvation.h"

namespace forkproof::observe {

/// Whether a command has set itself up: tells when its whole arena is at rest. For a stretch of time
///  - no process or thread was born or ended, and none began another program;
///  - every thread was blocked at every look;
///  - each was blocked in a place (system call, stack and instruction pointer) where it had been before;
///  - none was in its first short sleep: a wait of up to a second that it was never seen to come back from to the same
///    place. Such a sleep may be a pause of the set-up, so its end is waited for.
/// So a supervisor that polls is at rest: it wakes up and comes back. So is a shell that polls by `sleep 1`, from its second
/// sleep on: a process that comes again is known by its parent and its name. Passive: looked with again and again.
class ArenaRest {
 public:
  /// `root`: PID 1, which does not count; `sealed`: it has a PID namespace of its own. `is_ours`: a process of the task tree,
  /// which is known to be set up: its timers are its own affair.
  ArenaRest(bool sealed, Pid root, std::function<bool(Pid)> is_ours)
      : sealed_(sealed), root_(root), is_ours_(std::move(is_ours)) {}

  /// From now on the arena has to come to rest, and then to stay undisturbed for so long more.
  void begin(Nanos now, Nanos undisturbed);
  /// One look; looks no more often than is worth its cost. True once the arena is at rest.
  bool look(Nanos now);
  /// The time that a machine with too much to do has taken from the arena since `begin`.
  [[nodiscard]] Nanos lost() const { return starvation_.so_far(); }
  /// "4 processes, asleep at the same places for 21.0 ms", once it is at rest.
  [[nodiscard]] std::string proof() const;
  /// What kept it from rest, so far: "sh 2 was running in 240 of 250 looks".
  [[nodiscard]] std::string obstacle() const;

 private:
  struct Place {
    long call = 0;
    std::uint64_t stack = 0, code = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct One {
    SeenThread thread;
    Place place;
    bool short_sleep = false;
    std::string name;
    Pid parent = 0;
  };
  using Kin = std::pair<Pid, std::string>;  // a parent and a name: of one that comes again
  struct Known {
    std::string name;
    Pid parent = 0;
    bool comes_again = false;
    std::set<Place> places;
    Place last;
    std::uint64_t turns = 0;
    Nanos since{};           ///< when it was first seen blocked there
    bool came_back = false;  ///< it has run and was blocked in a place of its own again
    std::uint64_t running_looks = 0;
  };
  using Key = std::pair<Pid, int>;

  [[nodiscard]] std::vector<One> everybody_now();
  void add_process(Pid pid, std::vector<One>* all) const;
  void compare(const std::vector<One>& all, Nanos now);
  void meet(const One& one, Nanos now);
  void see_again(const One& one, Known* known, Nanos now);
  void forget_the_ended(const std::vector<One>& all, Nanos now);
  void disturbed(Nanos now, std::string how);

  bool sealed_;
  Pid root_;
  std::function<bool(Pid)> is_ours_;
  std::map<Key, Known> known_;
  std::map<Kin, std::set<long>> came_and_went_;  // and the calls that they were last blocked in
  Starvation starvation_;
  Nanos undisturbed_wanted_{};
  Nanos next_look_{}, calm_since_{}, undisturbed_since_{}, last_look_{};
  std::uint64_t looks_ = 0, calm_looks_ = 0;
  std::size_t processes_ = 0, wakers_ = 0;
  std::string disturbance_, sleeper_;
};

}  // namespace forkproof::observe
