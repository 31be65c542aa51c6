#include "harness/spawn/plan.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace forkproof::spawn {

PreparedPlan::PreparedPlan(const SpawnSpec& spec, bool with_program, bool with_hook) {
  plan_.fds = spec.fds.data();
  plan_.fd_count = static_cast<int>(spec.fds.size());
  plan_.close_fds = spec.parent_ends.data();
  plan_.close_count = with_program ? 0 : static_cast<int>(spec.parent_ends.size());
  plan_.scrub = !with_program && spec.scrub ? 1 : 0;
  plan_.group = spec.group;
  sigemptyset(&plan_.mask);
  plan_.argument = spec.argument;
  if (with_hook) plan_.hook = spec.hook;
  if (!with_program) {
    plan_.entry = spec.entry;
    return;
  }
  for (const std::string& word : spec.argv) argv_.push_back(const_cast<char*>(word.c_str()));
  argv_.push_back(nullptr);
  plan_.path = spec.path.c_str();
  plan_.argv = argv_.data();
  plan_.envp = environ;
}

namespace {

WaitStatus status_from(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? WaitStatus::exited_with(info.si_status) : WaitStatus::killed_by(info.si_status);
}

WaitResult vanished() { return {WaitStatus::exited_with(255), true}; }

}  // namespace

std::optional<WaitResult> Backend::try_wait(const Child& child, Reap reap) {
  if (reap == Reap::leave) {
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG | WNOWAIT);
    if (result != 0 && errno == ECHILD) return vanished();
    if (result != 0 || info.si_pid == 0) return std::nullopt;
    return WaitResult{status_from(info)};
  }
  int status = 0;
  const pid_t pid = ::waitpid(child.pid, &status, WNOHANG);
  if (pid == child.pid) return WaitResult{WaitStatus(status)};
  if (pid < 0 && errno == ECHILD) return vanished();
  return std::nullopt;
}

boost::system::result<Child, SpawnFailure> adopt(pid_t pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    // ESRCH: SIGCHLD is ignored and the kernel has reaped the child already. It was started all the same.
    if (errno == ESRCH) return Child{pid, Fd{}};
    const int error = errno;  // a child that nobody holds must not live on
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return SpawnFailure{"pidfd_open", error};
  }
  return Child{pid, Fd(pidfd)};
}

int move_above_targets(const SpawnSpec& spec, std::vector<Fd>* moved) {
  for (const int fd : spec.fds) {
    moved->emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(spec.fds.size())));
    if (!moved->back()) return errno;
  }
  return 0;
}

AllSignalsBlocked::AllSignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before_);
}

AllSignalsBlocked::~AllSignalsBlocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace forkproof::spawn
