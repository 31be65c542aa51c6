// Backend `raw-fork`: the kernel's clone without libc's fork() around it, and no exec. What that leaves out, in glibc:
//  - the at-fork handlers (pthread_atfork), so no library mends or re-makes its locks in the child;
//  - libc's own repair: stdio's list and file locks, malloc's arenas, the loader's lock and the count of forks by which a
//    pthread_once that was under way is run again. Whatever another thread held at that instant stays held;
//  - the thread id that libc keeps for its own use: it stays the parent's, so a lock that asks for its owner (recursive,
//    error-checking, a FILE) takes the child for the parent's thread;
//  - the thread count: libc goes on believing that there are several threads, and takes locks that fork() would spare.
// And one thing that fork() takes and this does not: libc's locks *before* it, which is where the parent itself can hang.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

class RawFork final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    const PreparedPlan plan(spec, false, true);
    // The newer architectures have no fork. There clone with the exit signal alone is the same, and the flags are its first
    // argument (s390x wants the stack first, and has fork).
#ifdef SYS_fork
    constexpr const char* step = "fork";
    const auto pid = static_cast<pid_t>(::syscall(SYS_fork));
#else
    constexpr const char* step = "clone";
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
#endif
    if (pid == 0) forkproof_run_child(plan.get());
    if (pid < 0) return SpawnFailure{step, errno};
    return adopt(pid);
  }
};

}  // namespace

std::unique_ptr<Backend> make_raw_fork() { return std::make_unique<RawFork>(); }

}  // namespace forkproof::spawn
