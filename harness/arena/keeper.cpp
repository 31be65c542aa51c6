#include "harness/arena/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "harness/arena/cgroup.h"
#include "harness/arena/heartbeat.h"
#include "harness/arena/namespaces.h"
#include "harness/arena/pid1_watch.h"
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
  for (const int signal : {SIGTERM, SIGCHLD}) sigaddset(&ours, signal);
  ::sigprocmask(SIG_BLOCK, &ours, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, no stop of PID 1 would be told
  Fd fd(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) fail("signalfd");
  return fd;
}

/// In PID 1: nothing of the keeper's signal set-up, a /proc of its own, and death with the keeper.
int run_warden(const Keep& plan, int keeper_pidfd, const Heartbeat& heartbeat) {
  if (plan.tier == Tier::subreaper) end_descendants_with({keeper_pidfd, plan.owner_pidfd});
  else die_with(keeper_pidfd);
  heartbeat.is_mine();
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

/// Whether the arena is asked to end. Other signals tell of a child: PID 1 may have stopped.
bool is_asked_to_end(int signals) {
  signalfd_siginfo about{};
  bool asked = false;
  while (::read(signals, &about, sizeof about) == sizeof about) asked |= about.ssi_signo == SIGTERM;
  return asked;
}

/// Until the warden is gone by itself (true), or has to go: asked to, orphaned, out of time, or not moving
/// any more.
bool wait_for_end(const Keep& plan, const Clone& warden, Pid1Watch& watch, int signals) {
  const Nanos at_most = plan.contents.at_most;
  const Nanos limit = at_most > Nanos{} ? monotonic_now() + at_most : Nanos::max();
  Nanos next_look = monotonic_now() + Pid1Watch::look_period;
  for (;;) {
    pollfd watched[] = {{warden.pidfd.get(), POLLIN, 0}, {plan.owner_pidfd, POLLIN, 0}, {signals, POLLIN, 0}};
    const Nanos rest = std::max(std::min(next_look, limit) - monotonic_now(), Nanos{});
    ::poll(watched, 3, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(rest).count()));
    if (watched[0].revents != 0) return true;
    if (watched[1].revents != 0 || monotonic_now() >= limit) return false;
    if (watched[2].revents != 0 && is_asked_to_end(signals)) return false;
    if (watched[2].revents != 0) watch.take_stops();
    if (monotonic_now() < next_look) continue;
    next_look = monotonic_now() + Pid1Watch::look_period;
    watch.take_stops();
    const std::string given_up = watch.look();
    if (given_up.empty()) continue;
    complain(given_up);
    return false;
  }
}

/// Its wait status. A tracee's stops come out of waitpid too.
int end_of(pid_t pid) {
  int status = 0;
  pid_t got = 0;
  do got = ::waitpid(pid, &status, 0);
  while ((got < 0 && errno == EINTR) || (got == pid && WIFSTOPPED(status)));
  return status;
}

}  // namespace

int keep(const Keep& plan) {
  // Also while it is stopped. Without a PID namespace this process has to live on: it kills what is left, and
  // a stopped one is continued to do so.
  if (plan.tier != Tier::subreaper) die_with(plan.owner_pidfd);
  else ::prctl(PR_SET_PDEATHSIG, SIGCONT);
  ::setsid();  // a Ctrl-C at the terminal is for repro alone, and no subject has a terminal
  const Fd signals = signals_as_descriptor();
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (plan.tier != Tier::subreaper && plan.contents.privacy == Privacy::all) raise_loopback();
  if (plan.tier == Tier::subreaper) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Fd group;
  if (!plan.cgroup.empty()) group = make_cgroup(plan.cgroup);
  const Heartbeat heartbeat;
  int code = cut_off;
  std::vector<pid_t> servers;
  try {
    if (plan.contents.outside) servers = plan.contents.outside();
    const Clone warden = clone_process(warden_flags(plan.tier), group ? group.get() : -1,
                                       [&] { return run_warden(plan, self.get(), heartbeat); });
    Pid1Watch watch(warden.pid, heartbeat, plan.tier != Tier::subreaper);
    const bool by_itself = wait_for_end(plan, warden, watch, signals.get());
    if (!by_itself) ::kill(warden.pid, SIGKILL);
    const int status = end_of(warden.pid);
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
