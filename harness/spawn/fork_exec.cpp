// Backend `fork-exec`: as airflow#64874 does it. The parent does not wait for the exec, so a failed one shows as the
// child's exit 124.
#include <unistd.h>

#include <cerrno>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

class ForkExec final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    const PreparedPlan plan(spec, true, true);
    const pid_t pid = ::fork();
    if (pid == 0) forkproof_run_child(plan.get());
    if (pid < 0) return SpawnFailure{"fork", errno};
    return adopt(pid);
  }
};

}  // namespace

std::unique_ptr<Backend> make_fork_exec() { return std::make_unique<ForkExec>(); }

}  // namespace forkproof::spawn
