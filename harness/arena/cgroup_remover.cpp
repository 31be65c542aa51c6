#include "harness/arena/cgroup_remover.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "harness/arena/cgroup.h"

namespace forkproof::arena {
namespace {

/// Nothing of its maker's is kept: an open stdout would keep a reader waiting.
[[noreturn]] void wait_and_remove(int end, const std::string& parent, const std::string& names) {
  ::setsid();
  ::prctl(PR_SET_NAME, "forkproof-sweep");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::dup2(end, STDIN_FILENO);
  ::syscall(SYS_close_range, 1U, ~0U, 0U);
  char none = 0;
  while (::read(STDIN_FILENO, &none, 1) < 0 && errno == EINTR) {
  }
  remove_cgroups_named(parent, names);
  ::_exit(0);
}

}  // namespace

CgroupRemover::CgroupRemover(const Provision& provision) {
  int ends[2];
  if (provision.cgroup_parent.empty() || ::pipe2(ends, O_CLOEXEC) != 0) return;
  const Fd end(ends[0]);
  alive_.reset(ends[1]);
  const std::string names = cgroup_names_of_this_process();
  int told[2];
  if (::pipe2(told, O_CLOEXEC) != 0) return;
  const Fd reader(told[0]);
  Fd writer(told[1]);
  const pid_t between = ::fork();  // its end gives the remover to init: who waits for its children does not meet it
  if (between == 0) {
    const pid_t remover = ::fork();
    if (remover == 0) wait_and_remove(end.get(), provision.cgroup_parent, names);
    ::_exit(::write(told[1], &remover, sizeof remover) == sizeof remover ? 0 : 1);
  }
  writer.reset();  // a process between that was killed says nothing: that is the end of file
  while (between > 0 && ::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_t remover = -1;
  if (between < 0 || ::read(told[0], &remover, sizeof remover) != sizeof remover || remover <= 0) return;
  remover_.reset(static_cast<int>(::syscall(SYS_pidfd_open, remover, 0)));
}

CgroupRemover::~CgroupRemover() {
  // Every arena of its maker has removed its own group.
  if (remover_) ::syscall(SYS_pidfd_send_signal, remover_.get(), SIGKILL, nullptr, 0);
}

}  // namespace forkproof::arena
