#pragma once
#include <chrono>
#include <utility>

#include "harness/core/history.h"

namespace forkproof::oracles {

using namespace std::chrono_literals;

// Who is who in the hand-written histories.
inline constexpr Pid supervisor = 2, task = 3, helper = 4;

/// A history written by hand: each event 1 ms after the one before, or later where the story says so.
class Story {
 public:
  explicit Story(const Case& one) {
    then(CaseOpened{to_document(one)});
    then(ArenaOpened{"sealed", true, warden_pid, ""});
  }

  Story& then(Happening what) { return after(1ms, std::move(what)); }
  Story& after(Nanos pause, Happening what) {
    now_ += pause;
    history_.append({now_, std::move(what)});
    return *this;
  }
  /// Supervisor, task and helper come up, and the teardown is asked for.
  Story& start() {
    then(Spawned{supervisor, warden_pid, -1, "supervisor"});
    then(SelectorOpened{supervisor, 9});
    then(Spawned{task, supervisor, 0, "task-runner"});
    then(Spawned{helper, task, 1, "helper"});
    return then(TreeReady{2});
  }
  Story& asked() { return then(TeardownAsked{"heartbeat 3 was answered 409"}); }
  Story& exits(Pid pid, WaitStatus status) {
    return then(Exited{pid, pid == supervisor ? "supervisor" : pid == task ? "task-runner" : "helper", status, true});
  }
  Story& census(std::vector<CensusEntry> processes = {}) { return then(CensusTaken{"conclusion", true, std::move(processes)}); }

  /// As far as it was told: the run was cut off here.
  [[nodiscard]] const History& so_far() const { return history_; }
  /// With the last event, that counts those before it.
  [[nodiscard]] History whole() {
    then(RunEnded{"the supervisor has ended", history_.size()});
    return history_;
  }

 private:
  Nanos now_{};
  History history_;
};

/// One case for all of them: a model supervisor, no fault, 100 ms for its teardown.
inline Case small_case() {
  Case one;
  one.scenario = "by hand";
  one.subject = ModelSupervisor{Profile{}, "fork"};
  one.tree.children.emplace_back();
  one.bounds.teardown = 100ms;
  return one;
}

}  // namespace forkproof::oracles
