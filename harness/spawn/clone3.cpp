// Backend `clone3`: the pidfd comes with the child, and the child is born inside a cgroup of its own (`man 2
// clone3`, CLONE_PIDFD, CLONE_INTO_CGROUP), so that no moment is without either. The raw call skips libc's
// at-fork handlers: what can hang a parent's fork() cannot hang this one, and the child, which calls only
// what is async-signal-safe, needs none of libc's repairs.
//
// One fresh group a spawn: in a group that was once killed through cgroup.kill, later children are born dead
// (harness/faults/README.md, Kernel traps). A group is removed when its child was collected or the backend
// dropped; one that still holds descendants cannot be, and goes with the group above it.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

/// Our own group in the v2 hierarchy, as a directory; empty where none is mounted.
std::string own_cgroup() {
  std::string mount, group;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; mount.empty() && std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    for (int i = 0; i < 5; ++i) fields >> mount;
  }
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) group = line.substr(3);
  }
  if (mount.empty() || group.empty()) return {};
  return group == "/" ? mount : mount + group;
}

/// The PID namespace and pid in the name are for the sweep of those whose maker is gone
/// (harness/arena/cgroup.h).
std::string fresh_name() {
  struct stat about {};
  ::stat("/proc/self/ns/pid", &about);
  static unsigned serial = 0;
  return "forkproof-" + std::to_string(about.st_ino) + "-" + std::to_string(::getpid()) + "-spawn-" +
         std::to_string(serial++);
}

class Clone3 final : public Backend {
 public:
  Clone3() : parent_(own_cgroup()) {}
  ~Clone3() override { remove_empty_groups(); }
  Clone3(const Clone3&) = delete;
  Clone3& operator=(const Clone3&) = delete;

  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    remove_empty_groups();
    const PreparedPlan plan(spec, true, true);
    const Fd group = make_group();
    int pidfd = -1;
    pid_t pid = clone_into(group, &pidfd, plan.get());
    // A group that may be made and not be joined (delegation, a threaded hierarchy): the child goes without.
    if (pid < 0 && group) pid = clone_into(Fd{}, &pidfd, plan.get());
    if (pid < 0) return SpawnFailure{"clone3", errno};
    return Child{pid, Fd(pidfd)};
  }

  std::optional<WaitResult> try_wait(const Child& child, Reap reap) override {
    const auto result = Backend::try_wait(child, reap);
    if (result) remove_empty_groups();
    return result;
  }

 private:
  Fd make_group() {
    if (parent_.empty()) return Fd{};
    const std::string path = parent_ + "/" + fresh_name();
    if (::mkdir(path.c_str(), 0755) != 0) return Fd{};
    groups_.push_back(path);
    return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  static pid_t clone_into(const Fd& group, int* pidfd, const ForkproofChildPlan* plan) {
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
    arguments.exit_signal = SIGCHLD;
    if (group) arguments.flags |= CLONE_INTO_CGROUP, arguments.cgroup = static_cast<std::uint64_t>(group.get());
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
    if (pid == 0) forkproof_run_child(plan);
    return pid;
  }

  void remove_empty_groups() {
    std::erase_if(groups_, [](const std::string& path) { return ::rmdir(path.c_str()) == 0 || errno == ENOENT; });
  }

  std::string parent_;
  std::vector<std::string> groups_;
};

}  // namespace

std::unique_ptr<Backend> make_clone3() { return std::make_unique<Clone3>(); }

}  // namespace forkproof::spawn
