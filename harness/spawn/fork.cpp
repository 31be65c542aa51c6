// Backend `fork`: the child runs the task in the parent's image, without exec.
#include <unistd.h>

#include <cerrno>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

class Fork final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    const PreparedPlan plan(spec, false, true);
    const pid_t pid = ::fork();
    if (pid == 0) forkproof_run_child(plan.get());
    if (pid < 0) return SpawnFailure{"fork", errno};
    return adopt(pid);
  }
};

}  // namespace

std::unique_ptr<Backend> make_fork() { return std::make_unique<Fork>(); }

}  // namespace forkproof::spawn
