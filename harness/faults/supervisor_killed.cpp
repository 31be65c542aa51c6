// Fault `supervisor-killed`: SIGKILL to the supervisor, as by the OOM killer. It can bring nobody down any
// more, so what is asked is what it leaves behind it in the kernel.
//
// Established: the whole tree is up.
#include <csignal>

#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

class SupervisorKilled final : public Fault {
 public:
  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == supervisor_node)
      supervisor_ = spawned->pid;
    const auto* tree = event.as<TreeReady>();
    if (tree == nullptr) return;
    strike.established("the tree's " + std::to_string(tree->nodes) + " processes are up");
    strike.fired("the supervisor is sent SIGKILL");
    strike.signal(supervisor_, SIGKILL);
  }

 private:
  Pid supervisor_ = 0;
};

}  // namespace

std::span<const Setting> settings_of_supervisor_killed() {
  return {};
}
std::string check_supervisor_killed(const FaultSpec&) {
  return {};
}
std::unique_ptr<Fault> make_supervisor_killed(const FaultSpec&) {
  return std::make_unique<SupervisorKilled>();
}

}  // namespace forkproof::faults
