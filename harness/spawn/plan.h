#pragma once
#include <vector>

#include "harness/spawn/backend.h"

namespace forkproof::spawn {

/// A SpawnSpec laid out as the child reads it. Made before the fork, since it allocates; it must outlive the spawn.
/// Passive.
class PreparedPlan {
 public:
  /// `with_program`: the child will exec. `with_hook`: it announces its sync points.
  PreparedPlan(const SpawnSpec& spec, bool with_program, bool with_hook);
  PreparedPlan(const PreparedPlan&) = delete;
  PreparedPlan& operator=(const PreparedPlan&) = delete;

  [[nodiscard]] const ForkproofChildPlan* get() const { return &plan_; }
  void report_exec_error_to(int* where) { plan_.exec_error = where; }
  void keep_signals() { plan_.keep_signals = 1; }
  void scrub_descriptors() { plan_.scrub = 1; }

 private:
  std::vector<char*> argv_;
  ForkproofChildPlan plan_{};
};

/// A pidfd for a child of ours. The pid cannot have been reused: nobody but us reaps it.
boost::system::result<Child, SpawnFailure> adopt(pid_t pid);

/// Close-on-exec copies of the spec's descriptors above all their targets, so that placing them in order cannot hit one
/// that is still needed. Returns 0 or an errno.
int move_above_targets(const SpawnSpec& spec, std::vector<Fd>* moved);

/// Blocks every signal while it lives, so that a handler never runs in a child that shares the parent's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked();
  ~AllSignalsBlocked();
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace forkproof::spawn
