#include "harness/arena/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/arena/cgroup.h"
#include "harness/arena/namespaces.h"
#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/core/wait_status.h"

namespace forkproof::arena {
namespace {

constexpr int cut_off = 70;

Fd signals_as_descriptor() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ours, nullptr);
  Fd fd(::signalfd(-1, &ours, SFD_CLOEXEC));
  if (!fd) fail("signalfd");
  return fd;
}

/// In PID 1: nothing of the keeper's signal set-up, a /proc of its own, and death with the keeper.
int run_warden(const Keep& plan, int keeper_pidfd) {
  die_with(keeper_pidfd);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.tier != Tier::subreaper) mount_private_proc();
  else ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pin_proc();
  const int code = plan.contents.inside();
  if (plan.tier == Tier::subreaper) kill_descendants();
  return code;
}

/// Until the warden is gone by itself (true), or has to go.
bool wait_for_end(const Keep& plan, const Clone& warden, int signals) {
  pollfd watched[3] = {{warden.pidfd.get(), POLLIN, 0}, {plan.owner_pidfd, POLLIN, 0}, {signals, POLLIN, 0}};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(plan.contents.at_most).count();
  const auto limit = milliseconds > 0 ? milliseconds : -1;
  int ready = 0;
  do ready = ::poll(watched, 3, static_cast<int>(limit));
  while (ready < 0 && errno == EINTR);
  if (watched[0].revents != 0) return true;
  ::kill(warden.pid, SIGKILL);  // asked to, orphaned, or out of time
  return false;
}

}  // namespace

int keep(const Keep& plan) {
  ::setsid();  // a Ctrl-C at the terminal is for repro alone, and no subject has a terminal
  const Fd signals = signals_as_descriptor();
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (plan.tier != Tier::subreaper && plan.contents.privacy == Privacy::all) raise_loopback();
  if (plan.tier == Tier::subreaper) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Fd group;
  if (!plan.cgroup.empty()) group = make_cgroup(plan.cgroup);
  int code = cut_off;
  std::vector<pid_t> servers;
  try {
    if (plan.contents.outside) servers = plan.contents.outside();
    const Clone warden = clone_process(warden_flags(plan.tier), group ? group.get() : -1,
                                       [&] { return run_warden(plan, self.get()); });
    const bool by_itself = wait_for_end(plan, warden, signals.get());
    int status = 0;
    ::waitpid(warden.pid, &status, 0);
    if (by_itself && WIFSIGNALED(status)) complain("PID 1 of an arena died of " + WaitStatus(status).text());
    code = WIFEXITED(status) ? WEXITSTATUS(status) : cut_off;
  } catch (const std::exception& error) {
    complain(error.what());
  }
  for (const pid_t server : servers) ::kill(server, SIGKILL);
  for (const pid_t server : servers) ::waitpid(server, nullptr, 0);
  if (plan.tier == Tier::subreaper) kill_descendants();
  if (!plan.cgroup.empty() && !remove_cgroup(plan.cgroup)) complain("cgroup " + plan.cgroup + " could not be removed");
  return code;
}

}  // namespace forkproof::arena
