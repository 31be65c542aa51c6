#include "harness/observe/waits.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/core/event.h"
#include "harness/core/proc_root.h"
#include "harness/observe/descriptor_wait.h"
#include "harness/observe/file_locks.h"
#include "harness/observe/holders.h"
#include "harness/observe/namespaces.h"
#include "harness/observe/proc.h"
#include "harness/observe/proc_files.h"

namespace forkproof::observe {
namespace {

constexpr std::size_t most_polled = 256;
constexpr std::size_t most_named = 4;     // descriptors of one wait, in words
constexpr std::size_t most_signals = 12;  // named of one set

using Mask = unsigned long long;
constexpr Mask bit(int signal) { return 1ULL << (signal - 1); }
/// Raised by the process's own instructions, and it executes none; 32 and 33 are libc's own.
constexpr Mask of_its_own = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGABRT) | bit(SIGTRAP) |
                            bit(SIGSYS) | bit(SIGPIPE) | bit(SIGXFSZ) | bit(SIGXCPU) | bit(32) | bit(33);
/// What the kernel may send because of a file, a clock or a message queue, without any process.
constexpr Mask from_the_kernel = bit(SIGIO) | bit(SIGURG) | bit(SIGPWR) | ~((1ULL << 33) - 1);
constexpr Mask from_a_keyboard = bit(SIGINT) | bit(SIGQUIT) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU) | bit(SIGWINCH) | bit(SIGCONT);

/// Of /proc/PID/status or /proc/PID/task/TID/status.
struct Signals {
  Mask pending = 0, blocked = 0, ignored = 0, caught = 0;
  bool filtered = false;  // by seccomp
  bool waits_for_machine = false;  // state D
  bool read = false;
};
Signals signals_of(Pid pid, const std::string& file) {
  Signals signals;
  std::istringstream text(proc_text(pid, file));
  for (std::string line; std::getline(text, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const char* value = line.c_str() + colon + 2;
    if (key == "SigPnd" || key == "ShdPnd") signals.pending |= std::strtoull(value, nullptr, 16);
    else if (key == "SigBlk") signals.blocked = std::strtoull(value, nullptr, 16);
    else if (key == "SigIgn") signals.ignored = std::strtoull(value, nullptr, 16);
    else if (key == "SigCgt") signals.caught = std::strtoull(value, nullptr, 16), signals.read = true;
    else if (key == "State") signals.waits_for_machine = *value == 'D';
    else if (key == "Seccomp") signals.filtered = *value == '2';
  }
  return signals;
}

/// One thread's wait, being found out.
struct Question {
  const Standing& standing;
  const Thread& thread;
  const Surroundings& around;
  [[nodiscard]] Pid pid() const { return standing.pid; }
  [[nodiscard]] unsigned long argument(int index) const { return thread.arguments[index]; }
  [[nodiscard]] int fd(int index = 0) const { return static_cast<int>(thread.arguments[index]); }
};

bool read_memory(Pid pid, unsigned long address, void* into, std::size_t size) {
  iovec here{into, size}, there{reinterpret_cast<void*>(address), size};
  return address != 0 && ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

/// Whether the call ends by itself after a time. A time is not looked at, only that there is one.
bool has_time_limit(const Question& question) {
  switch (question.thread.number) {
    case SYS_poll: return static_cast<int>(question.argument(2)) >= 0;
    case SYS_ppoll: case SYS_rt_sigtimedwait: return question.argument(2) != 0;
    case SYS_select: case SYS_pselect6: return question.argument(4) != 0;
    case SYS_epoll_wait: case SYS_epoll_pwait: return static_cast<int>(question.argument(3)) >= 0;
    case SYS_epoll_pwait2: case SYS_futex: return question.argument(3) != 0;
    case SYS_nanosleep: case SYS_clock_nanosleep: return true;
    default: return false;
  }
}

/// Time limits of a socket are kept in it (SO_RCVTIMEO), and no file of /proc has them.
bool socket_has_time_limit(const Question& question, bool for_room) {
  const Fd process = open_pidfd(question.pid());
  const Fd socket(process ? static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), question.fd(), 0)) : -1);
  timeval limit{};
  socklen_t size = sizeof limit;
  if (!socket || ::getsockopt(socket.get(), SOL_SOCKET, for_room ? SO_SNDTIMEO : SO_RCVTIMEO, &limit, &size) != 0) return true;
  return limit.tv_sec != 0 || limit.tv_usec != 0;
}

void on_descriptors(const Question& question, const std::vector<Awaited>& all, ThreadWait* wait) {
  std::string named;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < most_named) named += (named.empty() ? "" : ", ") + words_for(question.pid(), all[i]);
    std::vector<Source> sources = sources_of(question.standing, all[i], question.around);
    std::move(sources.begin(), sources.end(), std::back_inserter(wait->any_of));
  }
  if (all.size() > most_named) named += fmt::format(" and {} more", all.size() - most_named);
  if (named.empty()) named = fmt::format("nothing, until {} comes", has_time_limit(question) ? "its time" : "a signal");
  wait->doing = fmt::format("sleeps in {} on {}", call_name(question.thread.number), named);
}

void on_one_descriptor(const Question& question, bool for_room, ThreadWait* wait) {
  on_descriptors(question, {{question.fd(), !for_room, for_room}}, wait);
  const bool paired = !wait->any_of.empty() && wait->any_of.front().kind == Source::Kind::channel && wait->any_of.front().channel.socket;
  if (paired && socket_has_time_limit(question, for_room)) {
    wait->any_of.push_back({Source::Kind::time, "the time limit of its socket", {}, {}, false, 0});
  }
}

void on_set(const Question& question, std::optional<std::vector<Awaited>> set, ThreadWait* wait) {
  wait->on_a_set = true;
  if (set) return on_descriptors(question, *set, wait);
  wait->doing = fmt::format("sleeps in {} on descriptors that cannot be read", call_name(question.thread.number));
  wait->any_of.push_back(Source::untold("one of them"));
}

std::optional<std::vector<Awaited>> polled(const Question& question) {
  const std::size_t count = question.argument(1);
  std::vector<pollfd> list(std::min(count, most_polled));
  if (count > most_polled) return std::nullopt;
  if (!list.empty() && !read_memory(question.pid(), question.argument(0), list.data(), list.size() * sizeof(pollfd))) return std::nullopt;
  std::vector<Awaited> all;
  for (const pollfd& each : list) {
    if (each.fd >= 0) all.push_back({each.fd, (each.events & ~POLLOUT) != 0 || each.events == 0, (each.events & POLLOUT) != 0});
  }
  return all;
}

std::optional<std::vector<Awaited>> selected(const Question& question) {
  fd_set set[3] = {};
  const auto count = std::min<unsigned long>(question.argument(0), FD_SETSIZE);
  // Only as many bits as are asked about need be there.
  const std::size_t bytes = (static_cast<std::size_t>(count) + 63) / 64 * 8;
  for (int i = 0; i < 3; ++i) {
    if (question.argument(i + 1) != 0 && bytes > 0 && !read_memory(question.pid(), question.argument(i + 1), &set[i], bytes)) return std::nullopt;
  }
  std::vector<Awaited> all;
  for (int fd = 0; fd < static_cast<int>(count); ++fd) {
    const bool input = FD_ISSET(fd, &set[0]) || FD_ISSET(fd, &set[2]), room = FD_ISSET(fd, &set[1]);
    if (input || room) all.push_back({fd, input, room});
  }
  return all;
}

/// Its children, and those that it traces: wait4 tells of both.
std::vector<Pid> waitable(const Question& question) {
  std::vector<Pid> all;
  for (const int child : children_of(question.pid())) all.push_back(child);
  for (const auto& [pid, standing] : question.around.everyone) {
    if (standing.tracer == question.pid() && std::find(all.begin(), all.end(), pid) == all.end()) all.push_back(pid);
  }
  return all;
}

void on_processes(std::string doing, std::string what, std::vector<Pid> by, ThreadWait* wait) {
  wait->doing = std::move(doing);
  if (by.empty()) wait->any_of.push_back(Source::untold(std::move(what)));
  else wait->any_of.push_back({Source::Kind::process, std::move(what), std::move(by), {}, false, 0});
}

void on_children(const Question& question, ThreadWait* wait) {
  const bool wait4 = question.thread.number == SYS_wait4;
  const int one = question.fd(wait4 ? 0 : 1);
  const unsigned long type = question.argument(0);
  const std::string call = call_name(question.thread.number);
  if (!wait4 && type == P_PIDFD) {
    wait->doing = fmt::format("sleeps in waitid on pidfd {}", one);
    wait->any_of = sources_of(question.standing, {one, true, false}, question.around);
    return;
  }
  if (wait4 ? one <= 0 : type != P_PID) {
    return on_processes(fmt::format("sleeps in {} for any child", call), "the end of a child", waitable(question), wait);
  }
  // The number counts in its own PID namespace.
  const Pid pid = process_called(question.pid(), one, waitable(question));
  const std::string number = pid == one || pid == 0 ? "" : fmt::format(", which it calls {}", one);
  if (pid == 0) return on_processes(fmt::format("sleeps in {} for its pid {}, which is not seen here", call, one), "the end of that process", {}, wait);
  on_processes(fmt::format("sleeps in {} for pid {}{}", call, pid, number), "the end of it", {pid}, wait);
}

/// vfork and its like: asleep in clone until the child has called exec or ended.
void on_vfork(const Question& question, ThreadWait* wait) {
  std::vector<Pid> children;
  for (const int child : children_of(question.pid())) children.push_back(child);
  if (!children.empty()) children = {children.back()};
  on_processes("sleeps in vfork until its child has called exec or ended", "that", std::move(children), wait);
}

std::vector<Pid> everybody_in(const Surroundings& around) {
  std::vector<Pid> all;
  for (const auto& [pid, standing] : around.everyone) all.push_back(pid);
  return all;
}

void on_file_lock(const Question& question, ThreadWait* wait) {
  const std::string file = descriptor_name(question.pid(), question.fd());
  wait->doing = fmt::format("sleeps in {} for a lock on {}", call_name(question.thread.number), file);
  std::vector<Pid> holders = lock_holders(question.pid(), question.fd(), everybody_in(question.around));
  if (holders.empty()) wait->any_of.push_back(Source::untold(fmt::format("a lock on {}, which no process here holds", file)));
  else wait->any_of.push_back({Source::Kind::lock, "a lock on " + file, std::move(holders), {}, false, 0});
}

void on_futex(const Question& question, ThreadWait* wait) {
  const Pid pid = question.pid();
  const std::string memory = memory_at(pid, question.argument(0));
  wait->doing = fmt::format("sleeps in futex{}{}", memory.empty() ? "" : " of " + memory, has_time_limit(question) ? ", with a time limit" : "");
  const bool own_memory = has_time_limit(question) || waits_for_ever_on_private_futex(pid, question.thread);
  const Pid owner = process_with_thread(pid, mutex_owner(pid, question.argument(0)), everybody_in(question.around));
  // In memory of its own, the owner in another process held it when that forked this one, or the number is chance: it is
  // named only where it is the parent, and never followed.
  const bool told = !own_memory || owner == question.standing.parent;
  if (owner == pid) wait->doing += ": a lock that a thread of its own holds";
  else if (owner > 0 && told) wait->doing += ": a lock whose owner is a thread of another process";
  if (!own_memory) wait->any_of.push_back(Source::untold("a futex that other processes can reach"));
  else wait->any_of.push_back({Source::Kind::memory, "another thread of its own", {pid}, {}, false, 0});
}

/// What could send these: SIGCHLD comes when a child ends, some come from the kernel, and the rest from any process.
void add_signals(const Question& question, Mask set, const std::string& how, std::vector<Source>* all) {
  std::vector<Pid> children;
  if ((set & bit(SIGCHLD)) != 0) children = children_of(question.pid());
  if (!children.empty()) {
    all->push_back({Source::Kind::process, "SIGCHLD, which it " + how, std::move(children), {}, false, 0});
  }
  set &= ~(of_its_own | bit(SIGCHLD) | bit(SIGKILL) | bit(SIGSTOP));
  if (set != 0) all->push_back({Source::Kind::signal, fmt::format("a signal that it {} ({})", how, signals_in(set)), {}, {}, false, set});
  if ((set & from_the_kernel) != 0) all->push_back(Source::untold(fmt::format("a signal of the kernel ({})", signals_in(set & from_the_kernel))));
}

void on_signals(const Question& question, ThreadWait* wait) {
  wait->on_a_set = true;
  wait->doing = fmt::format("sleeps in {}, until a signal comes", call_name(question.thread.number));
  if (question.thread.number != SYS_rt_sigtimedwait) return;  // the handlers are told of the whole process
  Mask set = 0;
  if (!read_memory(question.pid(), question.argument(0), &set, sizeof set)) return wait->any_of.push_back(Source::untold("a signal"));
  // As of a signalfd, which is spread later.
  wait->any_of.push_back({Source::Kind::signal, "", {}, {}, false, set});
}

void by_number(const Question& question, ThreadWait* wait) {
  const long call = question.thread.number;
  switch (call) {
    case SYS_wait4: case SYS_waitid: return on_children(question, wait);
    case SYS_vfork: case SYS_clone: case SYS_clone3: return on_vfork(question, wait);
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg: return on_one_descriptor(question, false, wait);
    case SYS_write: case SYS_writev: case SYS_sendto: case SYS_sendmsg: return on_one_descriptor(question, true, wait);
    case SYS_poll: case SYS_ppoll: return on_set(question, polled(question), wait);
    case SYS_select: case SYS_pselect6: return on_set(question, selected(question), wait);
    case SYS_epoll_wait: case SYS_epoll_pwait: case SYS_epoll_pwait2: return on_set(question, in_epoll_set(question.pid(), question.fd()), wait);
    case SYS_flock: return on_file_lock(question, wait);
    case SYS_fcntl:
      if (question.fd(1) == F_SETLKW || question.fd(1) == F_OFD_SETLKW) return on_file_lock(question, wait);
      break;
    case SYS_futex: return on_futex(question, wait);
    case SYS_pause: case SYS_rt_sigsuspend: case SYS_rt_sigtimedwait: return on_signals(question, wait);
    case SYS_nanosleep: case SYS_clock_nanosleep:
      wait->doing = fmt::format("sleeps in {}, until its time is over", call_name(call));
      return;
    default: break;
  }
  wait->doing = call < 0 ? "is blocked outside of any system call (a page fault)" : fmt::format("sleeps in {}", call_name(call));
  wait->any_of.push_back(Source::untold(call < 0 ? "the page" : fmt::format("what {} waits for", call_name(call))));
}

std::string kernel_place(Pid pid, int tid) {
  const std::string place = proc_text(pid, fmt::format("task/{}/wchan", tid));
  return place == "0" ? "" : place;
}

bool is_vfork(const Thread& thread) {
  return thread.number == SYS_vfork || thread.number == SYS_clone || thread.number == SYS_clone3;
}

/// A signalfd among the descriptors stands for the senders of its signals.
void spread_signalfds(const Question& question, ThreadWait* wait) {
  const std::vector<Source> before = std::exchange(wait->any_of, {});
  for (const Source& source : before) {
    if (source.kind == Source::Kind::signal) add_signals(question, source.signals, "collects", &wait->any_of);
    else wait->any_of.push_back(source);
  }
}

ThreadWait wait_of_thread(const Question& question, const Signals& signals) {
  ThreadWait wait;
  wait.thread = question.thread;
  const Mask about_to_come = signals.pending & ~signals.blocked & ~signals.ignored;
  wait.runs = !question.thread.blocked || !signals.read || about_to_come != 0;
  if (!question.thread.blocked) return wait.doing = "is running", wait;
  by_number(question, &wait);
  if (wait.on_a_set || question.thread.number == SYS_read) spread_signalfds(question, &wait);
  if (has_time_limit(question)) wait.any_of.push_back({Source::Kind::time, "its time limit", {}, {}, false, 0});
  if (signals.waits_for_machine && !is_vfork(question.thread)) {
    wait.runs = true;
    if (const std::string place = kernel_place(question.pid(), question.thread.tid); !place.empty()) wait.doing += ", in the kernel's " + place;
  }
  // Held by a supervisor of its system calls (seccomp): the call has not begun.
  if (signals.filtered && kernel_place(question.pid(), question.thread.tid).find("seccomp") != std::string::npos) {
    wait.any_of.push_back(Source::untold("the process that decides about its system calls"));
  }
  return wait;
}

void stopped(const Standing& standing, Pid tracer, const Surroundings& around, ProcessWait* wait) {
  wait->state = ProcessWait::State::stopped;
  ThreadWait one;
  // Under the warden's own ptrace a stopped process shows as "t".
  if (is_stopped(standing.pid, standing.state)) {
    one.doing = "is stopped by a signal: nothing but SIGCONT and SIGKILL reaches it";
    one.any_of.push_back({Source::Kind::signal, "SIGCONT", {}, {}, false, bit(SIGCONT)});
  } else {
    one.doing = fmt::format("is held by its tracer, pid {}", tracer);
    if (tracer > 0 && around.everyone.contains(tracer) && tracer != around.root) one.any_of.push_back({Source::Kind::process, "its tracer", {tracer}, {}, false, 0});
    else one.any_of.push_back(Source::untold("its tracer"));
  }
  wait->doing = one.doing;
  wait->threads.push_back(std::move(one));
}

bool waits_for_others(const ThreadWait& wait, Pid self) {
  return std::any_of(wait.any_of.begin(), wait.any_of.end(), [self](const Source& source) {
    if (source.kind == Source::Kind::channel) return true;
    const bool processes = source.kind == Source::Kind::process || source.kind == Source::Kind::lock;
    return processes && std::any_of(source.by.begin(), source.by.end(), [self](Pid pid) { return pid != self; });
  });
}

/// The main thread waits for the others, as a rule: so one of them shows what the process waits for.
void choose_told(const Standing& standing, ProcessWait* wait) {
  const auto& threads = wait->threads;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (threads[i].thread.tid == standing.pid) wait->told = i;
  }
  if (!threads[wait->told].any_of.empty() && threads[wait->told].any_of.front().kind == Source::Kind::memory) {
    for (std::size_t i = 0; i < threads.size(); ++i) {
      if (waits_for_others(threads[i], standing.pid)) { wait->told = i; break; }
    }
  }
  const ThreadWait& told = threads[wait->told];
  wait->doing = told.doing;
  if (threads.size() == 1) return;
  wait->doing += told.thread.tid == standing.pid ? fmt::format(" ({} threads)", threads.size()) : fmt::format(" (its thread {})", told.thread.tid);
}

/// A kernel without that file does not tell whose timers there are.
bool timers_are_told() {
  static const bool told = static_cast<bool>(open_proc("/proc/self/timers"));
  return told;
}

/// Handlers run in any thread that does not block their signal.
void add_handlers(const Question& any, Mask caught, Mask blocked_by_all, ProcessWait* wait) {
  const Mask deliverable = caught & ~blocked_by_all;
  add_signals(any, deliverable, "catches", &wait->handlers);
  wait->handled = deliverable;
  for (const ThreadWait& each : wait->threads) {
    for (const Source& source : each.any_of) wait->handled |= source.signals;
  }
  wait->handled &= ~(of_its_own | bit(SIGCHLD) | bit(SIGKILL) | bit(SIGSTOP));
  // timer_create(2). Whether one is set does not stand there.
  wait->has_timers = !timers_are_told() || !proc_text(any.pid(), "timers").empty();
  if (wait->has_timers) wait->handlers.push_back({Source::Kind::time, "a timer that it has made (timer_create)", {}, {}, false, 0});
}

}  // namespace

bool from_keyboard_only(unsigned long long signals) { return (signals & ~from_a_keyboard) == 0; }

std::string signals_in(unsigned long long mask) {
  std::string names;
  std::size_t count = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    if ((mask & (1ULL << (signal - 1))) == 0 || ++count > most_signals) continue;
    names += (names.empty() ? "" : ", ") + signal_name(signal);
  }
  return count > most_signals ? fmt::format("{} and {} more", names, count - most_signals) : names;
}

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

ProcessWait wait_of(const Standing& standing, const Surroundings& around) {
  ProcessWait wait;
  wait.state = ProcessWait::State::runs;
  if ((standing.state == "Z" || standing.state == "X") && standing.threads <= 1) {
    wait.state = ProcessWait::State::zombie;
    return wait.doing = "is a zombie: it has ended, and its parent has not reaped it", wait;
  }
  if (standing.state == "T" || standing.state == "t") {
    const auto tracer = proc_lines(standing.pid, "status", "TracerPid:");
    stopped(standing, tracer.empty() ? 0 : std::atoi(tracer.front().c_str()), around, &wait);
    return wait;
  }
  const std::vector<Thread> threads = threads_of(standing.pid);
  if (threads.empty()) return wait.doing = "is about to end", wait;
  Mask blocked_by_all = ~Mask{0}, caught = 0;
  bool any_runs = false;
  for (const Thread& thread : threads) {
    const Signals signals = signals_of(standing.pid, fmt::format("task/{}/status", thread.tid));
    wait.threads.push_back(wait_of_thread({standing, thread, around}, signals));
    any_runs |= wait.threads.back().runs;
    blocked_by_all &= signals.blocked, caught |= signals.caught;
  }
  if (!any_runs) wait.state = ProcessWait::State::blocked;
  choose_told(standing, &wait);
  add_handlers({standing, threads.front(), around}, caught, blocked_by_all, &wait);
  return wait;
}

}  // namespace forkproof::observe
