// Fault `orphan-sigint`: the supervisor is SIGKILLed, and then its orphaned task gets SIGINT, as from a Ctrl-C or from
// whoever cleans up. Does it go?
//
// Established, one after the other:
//   1. the tree is up and the task is where it waits: asleep in a system call that is no announcement to the rig, or
//      stopped. A SIGINT before that would meet a program that is still being set up.
//   2. the supervisor is dead, and so is whoever stood between it and the task (a shell, a launcher);
//   3. the kernel has given the task another parent, and the task rests again: the death of a parent can wake it (an
//      inherited epoll that looked at the parent's signals), and a SIGINT in that moment would be seen by chance.
// Only then it fires. The answer is the task's end, or the kernel's word that it will not end (SignalWithoutEffect).
#include <csignal>
#include <cstdlib>
#include <utility>

#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

/// Where it rests; empty also while it still talks to the rig.
std::string resting_place_of_task(Pid pid) {
  const std::string place = resting_place(pid);
  return waits_for_the_rig(place) ? std::string() : place;
}

class OrphanSigint final : public Fault {
 public:
  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>()) take_note(*spawned);
    tree_is_up_ |= event.as<TreeReady>() != nullptr;
    if (const auto* exited = event.as<Exited>()) ended(*exited, strike);
    if (const auto* moved = event.as<Reparented>(); moved != nullptr && moved->pid == task_)
      inherited_by_ = moved->to;
    if (const auto* stays = event.as<SignalWithoutEffect>(); stays != nullptr && stays->pid == task_)
      answered_ = true;
  }

  void tick(Strike& strike) override {
    if (!tree_is_up_ || fired_ || (killed_ && inherited_by_ == 0)) return;
    const std::string place = resting_place_of_task(task_);
    const bool rests = !place.empty() && place == std::exchange(place_, place);
    if (!rests) return;
    place_.clear();
    if (killed_) return fire(place, strike);
    killed_ = true;
    strike.signal(supervisor_, SIGKILL);
  }

  [[nodiscard]] bool waits_for_answer() const override { return killed_ && !answered_; }

 private:
  void take_note(const Spawned& spawned) {
    if (spawned.node == supervisor_node) supervisor_ = spawned.pid;
    if (spawned.node == 0) task_ = spawned.pid, parent_ = spawned.parent;
  }

  void ended(const Exited& exited, Strike& strike) {
    if (exited.pid == task_) answered_ = true;
    const bool between = killed_ && exited.pid == supervisor_ && parent_ != supervisor_;
    if (between) strike.signal(parent_, SIGKILL);
  }

  void fire(const std::string& place, Strike& strike) {
    fired_ = true;
    strike.established(
        "the supervisor is dead, and pid " + std::to_string(inherited_by_) +
        " has inherited the task, which is " +
        (place == "stopped" ? place : "asleep in system call " + place.substr(0, place.find(' '))));
    strike.fired("the orphan is sent SIGINT");
    strike.signal(task_, SIGINT);
  }

  Pid supervisor_ = 0, task_ = 0, parent_ = 0, inherited_by_ = 0;
  std::string place_;  // where the task was seen to sleep, once
  bool tree_is_up_ = false, killed_ = false, fired_ = false, answered_ = false;
};

}  // namespace

std::span<const Setting> settings_of_orphan_sigint() {
  return {};
}
std::string check_orphan_sigint(const FaultSpec&) {
  return {};
}
std::unique_ptr<Fault> make_orphan_sigint(const FaultSpec&) {
  return std::make_unique<OrphanSigint>();
}

}  // namespace forkproof::faults
