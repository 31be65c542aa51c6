// Backend `vfork-exec`: the child borrows the parent's memory until it execs, and the parent stands still meanwhile.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

// In a function of its own that nothing is inlined into: the child must not touch the caller's frame.
[[gnu::noinline]] pid_t vfork_and_run(const ForkproofChildPlan* plan) {
  const pid_t pid = ::vfork();  // NOLINT: the point of this backend
  if (pid == 0) forkproof_run_child(plan);
  return pid;
}

class VforkExec final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    int exec_error = 0;
    PreparedPlan plan(spec, true, false);
    plan.report_exec_error_to(&exec_error);
    pid_t pid = -1;
    int fork_error = 0;
    {
      // A handler of the parent's must not run in the child, on the parent's memory.
      const AllSignalsBlocked quiet;
      pid = vfork_and_run(plan.get());
      fork_error = errno;
    }
    if (pid < 0) return SpawnFailure{"vfork", fork_error};
    if (exec_error == 0) return adopt(pid);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return SpawnFailure{"execve", exec_error};
  }
};

}  // namespace

std::unique_ptr<Backend> make_vfork_exec() { return std::make_unique<VforkExec>(); }

}  // namespace forkproof::spawn
