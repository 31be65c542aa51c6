#include "harness/arena/warden.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "harness/arena/heartbeat.h"
#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"

namespace forkproof::arena {
namespace {

Fd child_signals() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, the kernel would reap and tell nobody
  return Fd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<ProcStat> stat_of(pid_t pid) {
  char path[40], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const Fd file = open_proc(path);
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  text[std::max<ssize_t>(got, 0)] = '\0';
  auto stat = parse_proc_stat(text);
  if (stat) stat->name = {};  // it is part of the text
  return stat;
}

/// Symptom: the end of a process was told as a tracee's, and never as a child's. Cause: its parent died between the look at
/// it and waitpid, so it was this process' child by then, and one waitpid took both ends. Remedy: a process that is gone,
/// as its parent is, has been reaped here.
bool became_child_of_ours(pid_t pid, pid_t parent) {
  const auto its_parent = stat_of(parent);
  const bool parent_is_dead = !its_parent || its_parent->state == 'Z' || its_parent->state == 'X';
  return parent_is_dead && !stat_of(pid);
}

}  // namespace

Warden::Warden()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      signals_(child_signals()),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!epoll_ || !signals_ || !timer_) fail("the warden's epoll, signalfd or timerfd");
  watch(signals_.get(), [this] { reap_some(); });
  watch(timer_.get(), [this] { timer_fired(); });
}

void Warden::watch(int fd, std::function<void()> ready) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = (std::uint64_t{++generation_} << 32) | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0) fail("epoll_ctl(ADD)");
  watched_[fd] = {generation_, std::move(ready)};
}

void Warden::unwatch(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watched_.erase(fd);
}

void Warden::call_at(Nanos when, std::function<void()> due) {
  calls_.emplace(when, std::move(due));
  arm_timer();
}

void Warden::arm_timer() {
  itimerspec spec{};
  if (!calls_.empty()) {
    const Nanos first = std::max(calls_.begin()->first, Nanos(1));
    spec.it_value.tv_sec = static_cast<time_t>(first.count() / 1'000'000'000);
    spec.it_value.tv_nsec = static_cast<long>(first.count() % 1'000'000'000);
  }
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) fail("timerfd_settime");
}

void Warden::timer_fired() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto got = ::read(timer_.get(), &expirations, sizeof expirations);
  const Nanos now = monotonic_now();
  while (running_ && !calls_.empty() && calls_.begin()->first <= now) {
    const auto due = std::move(calls_.begin()->second);
    calls_.erase(calls_.begin());
    due();
  }
  arm_timer();
}

void Warden::keep_canary(Nanos period, Nanos tolerance, std::function<void(Nanos)> late) {
  sing(monotonic_now() + period, period, tolerance, std::move(late));
}

void Warden::sing(Nanos due, Nanos period, Nanos tolerance, std::function<void(Nanos)> late) {
  call_at(due, [this, due, period, tolerance, late = std::move(late)] {
    const Nanos now = monotonic_now();
    if (now - due > tolerance) late(now - due);
    sing(now + period, period, tolerance, late);
  });
}

bool Warden::reap(std::size_t most) {
  for (std::size_t i = 0; i < most; ++i) {
    if (stopped_ && take_stops()) continue;  // a birth is told before the end of who was born
    if (!take_end()) return false;
  }
  return true;
}

void Warden::reap_some() {
  constexpr std::size_t most = 64;
  // Signals of one kind merge: one notice may stand for many dead.
  signalfd_siginfo notice{};
  while (::read(signals_.get(), &notice, sizeof notice) > 0) {
  }
  if (reap(most)) call_at(monotonic_now(), [this] { reap_some(); });
}

void Warden::on_traced(std::function<void(Pid, int)> stopped, std::function<void(Pid, WaitStatus)> ended) {
  stopped_ = std::move(stopped), traced_end_ = std::move(ended);
}

/// True when there may be more: who forks without end stops as fast as it is let go on.
bool Warden::take_stops() {
  constexpr int most = 64;
  for (int i = 0; i < most; ++i) {
    siginfo_t about{};
    if (::waitid(P_ALL, 0, &about, WSTOPPED | WNOHANG | __WALL) != 0 || about.si_pid == 0) return false;
    // Of its own children that are not traced, job control's stops are told here as well: nobody waits for those.
    if (about.si_code == CLD_TRAPPED) stopped_(about.si_pid, about.si_status << 8 | 0x7f);
  }
  return true;
}

/// One end, if there is any. The kernel gives a tracee's end to its tracer first and to its parent afterwards, and does
/// not say which of the two it was: so whose child it is gets looked up while it is still there.
bool Warden::take_end() {
  siginfo_t about{};
  if (!stopped_) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid > 0 && reaped_) reaped_(pid, WaitStatus(status));
    return pid > 0;
  }
  if (::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || about.si_pid == 0) return false;
  // Symptom: a stop that comes in between is told here. Cause: the kernel shows a tracer its tracees' stops whatever was
  // asked for (wait_task_stopped). Remedy: it is left where it is, and taken as what it is.
  if (about.si_code == CLD_TRAPPED || about.si_code == CLD_STOPPED) return take_stops(), true;
  const auto before = stat_of(about.si_pid);  // it cannot vanish: it waits for us
  const pid_t parent = before ? before->parent : 0;
  int status = 0;
  const pid_t pid = ::waitpid(about.si_pid, &status, WNOHANG | __WALL);
  if (pid <= 0) return false;
  const bool own = parent == ::getpid() || (parent > 0 && became_child_of_ours(pid, parent));
  const auto& told = own ? reaped_ : traced_end_;
  if (told) told(pid, WaitStatus(status));
  return true;
}

void Warden::beat() {
  const Heartbeat* heart = Heartbeat::mine();
  if (heart == nullptr) return;
  heart->beat();
  call_at(monotonic_now() + Heartbeat::period, [this] { beat(); });
}

void Warden::run() {
  beat();
  for (const int pidfd : ends_descendants_with()) watch(pidfd, end_with_descendants);
  epoll_event ready[64];
  while (running_) {
    timespec patience{};
    if (idle_after_) patience.tv_nsec = static_cast<long>(idle_after_->count());
    const int count = ::epoll_pwait2(epoll_.get(), ready, 64, idle_after_ ? &patience : nullptr, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    if (count == 0 && idle_after_) idle_after_ = idle_();
    for (int i = 0; i < count && running_; ++i) {
      // An earlier callback of this round may have unwatched it, and may have watched another of the same number.
      const auto found = watched_.find(static_cast<int>(ready[i].data.u64 & 0xffffffff));
      if (found == watched_.end() || found->second.generation != ready[i].data.u64 >> 32) continue;
      const auto callback = found->second.ready;
      callback();
    }
  }
}

}  // namespace forkproof::arena
