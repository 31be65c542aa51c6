#include "harness/observe/waits.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/core/proc_root.h"
#include "harness/observe/holders.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

constexpr std::size_t most_polled = 256;
constexpr std::size_t most_named = 4;  // descriptors of one wait, in words

/// One thread's wait, being found out.
struct Question {
  const Standing& standing;
  const Thread& thread;
  [[nodiscard]] unsigned long argument(int index) const { return thread.arguments[index]; }
  [[nodiscard]] int fd(int index = 0) const { return static_cast<int>(thread.arguments[index]); }
};

bool read_memory(Pid pid, unsigned long address, void* into, std::size_t size) {
  iovec here{into, size}, there{reinterpret_cast<void*>(address), size};
  return address != 0 && ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

const OpenChannel* channel_at(const Standing& standing, int fd) {
  for (const OpenChannel& open : standing.channels) {
    if (open.fd == fd) return &open;
  }
  return nullptr;
}

/// The process that a pidfd stands for; 0 when it is none.
Pid process_of_pidfd(Pid pid, int fd) {
  const auto lines = descriptor_details(pid, fd, "Pid:");
  return lines.empty() ? 0 : std::max(0, std::atoi(lines.front().c_str()));
}

/// Whether the call ends by itself after a time. A time is not looked at, only that there is one.
bool has_time_limit(const Question& question) {
  switch (question.thread.number) {
    case SYS_poll: return static_cast<int>(question.argument(2)) >= 0;
    case SYS_ppoll: return question.argument(2) != 0;
    case SYS_select: case SYS_pselect6: return question.argument(4) != 0;
    case SYS_epoll_wait: case SYS_epoll_pwait: return static_cast<int>(question.argument(3)) >= 0;
    case SYS_epoll_pwait2: case SYS_futex: return question.argument(3) != 0;
    default: return false;
  }
}

/// These descriptors, whatever they are: channels and pidfds are followed, the rest is named.
Wait on_descriptors(const Question& question, const std::vector<int>& fds, bool for_room) {
  Wait wait;
  wait.kind = Wait::Kind::by_itself;
  wait.for_room = for_room;
  std::string named;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const OpenChannel* open = channel_at(question.standing, fds[i]);
    const std::string name = open != nullptr ? open->channel.name() : descriptor_name(question.standing.pid, fds[i]);
    if (i < most_named) named += fmt::format("{}fd {} ({})", named.empty() ? "" : ", ", fds[i], name.empty() ? "closed" : name);
    if (open != nullptr) wait.channels.push_back(open->channel);
    else if (const Pid pid = name == "anon_inode:[pidfd]" ? process_of_pidfd(question.standing.pid, fds[i]) : 0; pid > 0) wait.on.push_back(pid);
  }
  if (fds.size() > most_named) named += fmt::format(" and {} more", fds.size() - most_named);
  if (!wait.channels.empty()) wait.kind = Wait::Kind::channel;
  else if (!wait.on.empty()) wait.kind = Wait::Kind::process;
  if (named.empty()) named = fmt::format("nothing, until {} comes", has_time_limit(question) ? "its time" : "a signal");
  wait.doing = fmt::format("sleeps in {} on {}", call_name(question.thread.number), named);
  return wait;
}

std::vector<int> polled(const Question& question) {
  std::vector<pollfd> list(std::min(static_cast<std::size_t>(question.argument(1)), most_polled));
  if (list.empty() || !read_memory(question.standing.pid, question.argument(0), list.data(), list.size() * sizeof(pollfd))) return {};
  std::vector<int> fds;
  for (const pollfd& each : list) {
    if (each.fd >= 0) fds.push_back(each.fd);
  }
  return fds;
}

std::vector<int> selected(const Question& question) {
  fd_set set[2] = {};
  // Only as many bits as are asked about need be there.
  const std::size_t bytes = std::min((static_cast<std::size_t>(question.argument(0)) + 63) / 64 * 8, sizeof(fd_set));
  for (int i = 0; i < 2; ++i) {
    if (!read_memory(question.standing.pid, question.argument(i + 1), &set[i], bytes)) FD_ZERO(&set[i]);
  }
  std::vector<int> fds;
  for (int fd = 0; fd < static_cast<int>(std::min<unsigned long>(question.argument(0), FD_SETSIZE)); ++fd) {
    if (FD_ISSET(fd, &set[0]) || FD_ISSET(fd, &set[1])) fds.push_back(fd);
  }
  return fds;
}

std::vector<int> watched_by_epoll(const Question& question) {
  std::vector<int> fds;
  for (const std::string& line : descriptor_details(question.standing.pid, question.fd(), "tfd:")) fds.push_back(std::atoi(line.c_str()));
  std::sort(fds.begin(), fds.end());
  return fds;
}

Wait on_processes(const std::string& doing, std::vector<Pid> on) {
  Wait wait;
  wait.kind = on.empty() ? Wait::Kind::by_itself : Wait::Kind::process;
  wait.doing = doing, wait.on = std::move(on);
  return wait;
}

Wait on_children(const Question& question) {
  const bool wait4 = question.thread.number == SYS_wait4;
  const int one = question.fd(wait4 ? 0 : 1);
  const unsigned long type = question.argument(0);
  const std::string call = call_name(question.thread.number);
  if (!wait4 && type == P_PIDFD) {
    const Pid pid = process_of_pidfd(question.standing.pid, one);
    return on_processes(fmt::format("sleeps in waitid on pidfd {}", one), pid > 0 ? std::vector<Pid>{pid} : std::vector<Pid>{});
  }
  if (wait4 ? one > 0 : type == P_PID) return on_processes(fmt::format("sleeps in {} for pid {}", call, one), {one});
  std::vector<Pid> children;
  for (const int child : children_of(question.standing.pid)) children.push_back(child);
  return on_processes(fmt::format("sleeps in {} for any child", call), std::move(children));
}

/// vfork and its like: asleep in clone until the child has called exec or ended.
Wait on_vfork(const Question& question) {
  std::vector<Pid> children;
  for (const int child : children_of(question.standing.pid)) children.push_back(child);
  if (!children.empty()) children = {children.back()};
  return on_processes("sleeps in vfork until its child has called exec or ended", std::move(children));
}

/// Who holds what a blocked fcntl(F_SETLKW) or flock wants: /proc/locks has the waiters below the holder, "->" before each.
std::vector<Pid> lock_holders(Pid waiter) {
  ProcText file("/proc/locks");
  std::vector<Pid> holders;
  Pid holder = 0;
  for (std::string line; std::getline(file, line);) {
    const bool waits = line.find("->") != std::string::npos;
    int pid = 0;
    if (std::sscanf(line.c_str(), waits ? "%*s -> %*s %*s %*s %d" : "%*s %*s %*s %*s %d", &pid) != 1) continue;
    if (!waits) holder = pid;
    else if (pid == waiter && holder > 0) holders.push_back(holder);
  }
  return holders;
}

Wait on_file_lock(const Question& question) {
  Wait wait = on_processes(fmt::format("sleeps in {} for a lock on {}", call_name(question.thread.number),
                                       descriptor_name(question.standing.pid, question.fd())),
                           lock_holders(question.standing.pid));
  if (wait.kind == Wait::Kind::process) wait.kind = Wait::Kind::lock;
  return wait;
}

Wait on_futex(const Question& question) {
  Wait wait;
  wait.kind = Wait::Kind::by_itself;
  const Pid pid = question.standing.pid;
  const std::string memory = memory_at(pid, question.argument(0));
  wait.doing = fmt::format("sleeps in futex{}{}", memory.empty() ? "" : " of " + memory, has_time_limit(question) ? ", with a time limit" : "");
  const Pid owner = process_of_thread(mutex_owner(pid, question.argument(0)));
  if (owner == 0) return wait;
  wait.kind = Wait::Kind::lock, wait.on = {owner};
  wait.doing += owner == pid ? ": a lock that a thread of its own holds" : ": a lock whose owner is a thread of another process";
  return wait;
}

Wait by_number(const Question& question) {
  const long call = question.thread.number;
  switch (call) {
    case SYS_wait4: case SYS_waitid: return on_children(question);
    case SYS_vfork: case SYS_clone: case SYS_clone3: return on_vfork(question);
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg: case SYS_splice:
      return on_descriptors(question, {question.fd()}, false);
    case SYS_write: case SYS_writev: case SYS_sendto: case SYS_sendmsg:
      return on_descriptors(question, {question.fd()}, true);
    case SYS_poll: case SYS_ppoll: return on_descriptors(question, polled(question), false);
    case SYS_select: case SYS_pselect6: return on_descriptors(question, selected(question), false);
    case SYS_epoll_wait: case SYS_epoll_pwait: case SYS_epoll_pwait2:
      return on_descriptors(question, watched_by_epoll(question), false);
    case SYS_fcntl: case SYS_flock: return on_file_lock(question);
    case SYS_futex: return on_futex(question);
    default: break;
  }
  Wait wait;
  wait.kind = Wait::Kind::by_itself;
  if (call == SYS_nanosleep || call == SYS_clock_nanosleep) wait.doing = fmt::format("sleeps in {}, until its time is over", call_name(call));
  else if (call == SYS_pause || call == SYS_rt_sigsuspend || call == SYS_rt_sigtimedwait) wait.doing = fmt::format("sleeps in {}, until a signal comes", call_name(call));
  else if (call < 0) wait.doing = "is blocked outside of any system call (a page fault)";
  else wait.doing = fmt::format("sleeps in {}", call_name(call));
  return wait;
}

Wait by_call(const Question& question) {
  Wait wait = by_number(question);
  wait.limited = has_time_limit(question);
  return wait;
}

std::string kernel_place(Pid pid) {
  ProcText file(fmt::format("/proc/{}/wchan", pid));
  std::string place;
  std::getline(file, place);
  return place.empty() || place == "0" ? "" : ", in the kernel's " + place;
}

Wait stopped(const Standing& standing) {
  Wait wait;
  wait.kind = Wait::Kind::stopped;
  const Pid tracer = std::atoi(status_field(standing.pid, "TracerPid").c_str());
  // Under the warden's own ptrace a stopped process shows as "t".
  const bool by_signal = is_stopped(standing.pid, standing.state);
  wait.doing = by_signal ? "is stopped by a signal: nothing but SIGCONT and SIGKILL reaches it"
                         : fmt::format("is held by its tracer, pid {}", tracer);
  if (!by_signal && tracer > 0) wait.kind = Wait::Kind::process, wait.on = {tracer};
  return wait;
}

bool waits_for_others(const Wait& wait, Pid self) {
  if (wait.kind == Wait::Kind::channel) return true;
  const bool processes = wait.kind == Wait::Kind::process || wait.kind == Wait::Kind::lock;
  return processes && std::any_of(wait.on.begin(), wait.on.end(), [self](Pid pid) { return pid != self; });
}

}  // namespace

bool may_wait_for_channel(const Thread& thread) {
  switch (thread.number) {
    case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_pause: case SYS_rt_sigsuspend: case SYS_rt_sigtimedwait:
    case SYS_wait4: case SYS_vfork: case SYS_clone: case SYS_clone3: return false;
    default: return thread.blocked;
  }
}

std::string call_name(long number) {
  static const std::map<long, const char*> names{
      {SYS_read, "read"}, {SYS_readv, "readv"}, {SYS_recvfrom, "recvfrom"}, {SYS_recvmsg, "recvmsg"}, {SYS_splice, "splice"},
      {SYS_write, "write"}, {SYS_writev, "writev"}, {SYS_sendto, "sendto"}, {SYS_sendmsg, "sendmsg"},
      {SYS_poll, "poll"}, {SYS_ppoll, "ppoll"}, {SYS_select, "select"}, {SYS_pselect6, "pselect"},
      {SYS_epoll_wait, "epoll_wait"}, {SYS_epoll_pwait, "epoll_wait"}, {SYS_epoll_pwait2, "epoll_wait"},
      {SYS_wait4, "wait4"}, {SYS_waitid, "waitid"}, {SYS_fcntl, "fcntl"}, {SYS_flock, "flock"}, {SYS_futex, "futex"},
      {SYS_nanosleep, "nanosleep"}, {SYS_clock_nanosleep, "clock_nanosleep"}, {SYS_pause, "pause"},
      {SYS_rt_sigsuspend, "sigsuspend"}, {SYS_rt_sigtimedwait, "sigtimedwait"}, {SYS_accept, "accept"},
      {SYS_accept4, "accept"}, {SYS_connect, "connect"}, {SYS_open, "open"}, {SYS_openat, "openat"},
      {SYS_restart_syscall, "a call that a signal had interrupted"}, {SYS_io_uring_enter, "io_uring_enter"},
      {SYS_msgrcv, "msgrcv"}, {SYS_semop, "semop"}, {SYS_semtimedop, "semtimedop"}, {SYS_fsync, "fsync"}};
  const auto found = names.find(number);
  return found != names.end() ? found->second : fmt::format("system call {}", number);
}

Wait wait_of(const Standing& standing) {
  Wait wait;
  if (standing.state == "Z" && standing.threads <= 1) return wait.doing = "is a zombie: it has ended, and its parent has not reaped it", wait;
  if (standing.state == "T" || standing.state == "t") return stopped(standing);
  if (!standing.main.blocked && standing.threads <= 1) {
    wait.doing = standing.state == "R" ? "is running" : "does what /proc does not show";
    return wait;
  }
  wait = standing.main.blocked ? by_call({standing, standing.main}) : wait;
  if (standing.state == "D") wait.doing += kernel_place(standing.pid);
  if (standing.threads <= 1 || waits_for_others(wait, standing.pid)) return wait;
  // The main thread waits for the others, as a rule: so one of them shows what the process waits for.
  for (const Thread& thread : threads_of(standing.pid)) {
    if (!thread.blocked || thread.tid == standing.pid) continue;
    Wait its = by_call({standing, thread});
    if (!waits_for_others(its, standing.pid)) continue;
    its.doing += fmt::format(" (its thread {})", thread.tid);
    return its;
  }
  if (wait.doing.empty()) wait.doing = "is running";
  wait.doing += fmt::format(" ({} threads)", standing.threads);
  return wait;
}

}  // namespace forkproof::observe
