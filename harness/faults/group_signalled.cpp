// Fault `group-signalled`: somebody outside signals the process group that the task is in, as a closed terminal, `kill 0` in
// a shell's trap or a job manager does. Everybody in that group gets it. A supervisor that handles SIGTERM survives that one.
//
// Established: the supervisor has spawned, and either the whole tree is up, or it goes on from its spawn while the task
// stands where it was born; in which group the task is then, the kernel says.
#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr Setting group_signalled_settings[] = {
    {.key = "when", .is_number = false, .required = false,
     .about = "tree-ready (all are up), or spawned (the supervisor goes on from its spawn, and the task is held at its birth)",
     .words = "tree-ready spawned"},
    {.key = "signal", .is_number = false, .required = false, .about = "SIGTERM (where nothing is said) or SIGHUP", .words = "SIGTERM SIGHUP"},
};

class GroupSignalled final : public Fault {
 public:
  explicit GroupSignalled(const FaultSpec& spec) : name_(spec.word("signal", "SIGTERM")), at_birth_(spec.word("when", "tree-ready") == "spawned") {}

  /// At its birth: the supervisor goes on only when the task is there, and the task stays until the signal has come.
  void set_stage(Stage& stage) override {
    at_birth_ = at_birth_ && stage.runs_on_at_birth;  // else there is no such moment: the tree is waited for
    if (!at_birth_) return;
    stage.holds.push_back({"supervisor", point::spawned, 1, stage.task_role, point::forked});
    stage.holds.push_back({stage.task_role, point::forked, 1, "supervisor", point::concluded});
  }

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == 0 && task_ == 0) task_ = spawned->pid;
    const auto* tree = event.as<TreeReady>();
    if (!at_birth_ && tree != nullptr) fire(fmt::format("the tree's {} processes are up", tree->nodes), strike);
    const auto* released = event.as<SyncPointReleased>();
    const auto* reached = event.as<SyncPointReached>();  // not held where the child was first
    const bool goes_on = (released != nullptr && is_spawned(*released)) || (reached != nullptr && !reached->held && is_spawned(*reached));
    if (at_birth_ && goes_on && task_ != 0) fire("the supervisor has spawned, and the task has done nothing yet", strike);
  }

 private:
  template <class Point>
  static bool is_spawned(const Point& point) {
    return point.role == "supervisor" && point.point == point::spawned;
  }

  void fire(const std::string& proof, Strike& strike) {
    const pid_t group = ::getpgid(task_);
    if (group <= 0 || std::exchange(fired_, true)) return;
    strike.established(fmt::format("{}; it is in the process group {}", proof, group));
    strike.fired(fmt::format("the process group {} is sent {}", group, name_));
    strike.signal(-group, signal_from(name_));
  }

  std::string name_;
  bool at_birth_;
  Pid task_ = 0;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_group_signalled() { return group_signalled_settings; }
std::string check_group_signalled(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_group_signalled(const FaultSpec& spec) { return std::make_unique<GroupSignalled>(spec); }

}  // namespace forkproof::faults
