#pragma once
#include <sys/types.h>

#include <functional>
#include <map>
#include <set>

#include "harness/arena/warden.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {

/// Counts who is left in the arena, and is not satisfied with a glance: a process that was just killed still shows as
/// running. Each one is looked at until it is gone, or asleep with no death pending, or has used more processor time
/// than dying takes; and when none is left to be decided they are listed again, until nobody is new. Active through the warden's timers; the owner keeps it alive until `done` was called.
class Census {
 public:
  using Done = std::function<void(CensusTaken)>;
  /// `sealed`: the arena has a PID namespace. `root`: the warden.
  Census(arena::Warden& warden, bool sealed, Pid root) : warden_(warden), sealed_(sealed), root_(root) {}

  /// Ends with `done`, after `patience` at the latest; a process still undecided then makes the census incomplete.
  void take(const std::string& when, Nanos patience, Done done);

 private:
  void list_newcomers();
  bool nobody_new();
  [[nodiscard]] bool has_unlisted_children() const;
  void look_again();
  void finish(bool complete);
  /// True when nothing more can be learned about it; `alive` tells what it is.
  bool decided(const Look& look, bool* alive);
  bool used_more_than_dying_takes(const Look& look);
  void find_dying_worlds();
  [[nodiscard]] bool lives_in_a_dying_world(Pid pid) const;

  arena::Warden& warden_;
  bool sealed_;
  Pid root_;
  CensusTaken result_;
  std::set<Pid> undecided_, settled_;
  std::map<Pid, Nanos> first_cpu_time_;
  std::set<Pid> asleep_beside_;  // zombies whose parent was seen not to run for them, once
  std::set<ino_t> dying_worlds_;  // PID namespaces whose PID 1 has its death pending
  Nanos give_up_{};
  Done done_;
};

}  // namespace forkproof::observe
