#include "harness/arena/arena.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/arena/cgroup.h"
#include "harness/arena/keeper.h"
#include "harness/arena/namespaces.h"
#include "harness/arena/sweep.h"
#include "harness/core/error.h"

namespace forkproof::arena {

Arena::Arena(const Provision& provision, const Contents& contents) : tier_(provision.tier) {
  if (!provision.cgroup_parent.empty()) cgroup_ = provision.cgroup_parent + "/" + fresh_cgroup_name();
  // Held by the keeper to learn of our death; opened before it exists, so there is no moment without it.
  const Fd owner(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!owner) fail("pidfd_open");
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (tier_ == Tier::subreaper) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Clone keeper = clone_process(keeper_flags(tier_, contents.privacy), -1, [&] {
    const bool as_root = contents.privacy == Privacy::all;
    if (tier_ == Tier::user_namespace) (as_root ? become_root_of_user_namespace : keep_identity_in_user_namespace)(uid, gid);
    return keep({tier_, cgroup_, owner.get(), contents});
  });
  pid_ = keeper.pid;
  keeper_ = std::move(keeper.pidfd);
}

Arena::~Arena() {
  if (!keeper_) return;
  end();
  finish();
}

void Arena::end() const {
  ::syscall(SYS_pidfd_send_signal, keeper_.get(), SIGTERM, nullptr, 0);
  keep_going();
}

void Arena::keep_going() const {
  siginfo_t about{};
  const int told = ::waitid(P_PID, static_cast<id_t>(pid_), &about, WSTOPPED | WNOHANG);
  if (told == 0 && about.si_pid == pid_) ::syscall(SYS_pidfd_send_signal, keeper_.get(), SIGCONT, nullptr, 0);
}

int Arena::finish() {
  int status = SIGKILL;  // what stands when somebody else has reaped it: cut off
  for (pid_t got = 0; got != pid_ || WIFSTOPPED(status);) {
    got = ::waitpid(pid_, &status, WUNTRACED);
    if (got < 0 && errno != EINTR) break;
    if (got == pid_ && WIFSTOPPED(status)) ::kill(pid_, SIGCONT);
  }
  keeper_.reset();
  // The keeper removes the group; only one that was itself killed leaves it to us.
  if (!cgroup_.empty() && WIFSIGNALED(status)) remove_cgroup(cgroup_);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

pid_t fork_bound(const std::function<int()>& body) {
  const Fd parent(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid != 0) return pid;
  die_with(parent.get());
  int code = 70;
  try {
    code = body();
  } catch (const std::exception& error) {
    complain(error.what());
  }
  ::_exit(code);
}

}  // namespace forkproof::arena
