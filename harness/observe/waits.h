#pragma once
#include <string>
#include <utility>
#include <vector>

#include "harness/observe/channels.h"
#include "harness/observe/snapshot.h"

namespace forkproof::observe {

/// One event that would wake a thread, or let its process run a signal handler. A value.
struct Source {
  enum class Kind {
    process,  ///< the end (or the exec) of a process, or what its tracer does
    lock,     ///< a lock that processes hold
    channel,  ///< input through a pipe or socket pair, its end, or room in it
    object,   ///< an eventfd or a timerfd that is not set: a process that has it could set it
    memory,   ///< a futex that only this process can reach
    signal,   ///< a signal that it handles or collects; while it is stopped, SIGCONT
    time,     ///< a time limit or a timer
    outside,  ///< the network, a file, a terminal, or what this program does not follow
  };
  Kind kind = Kind::outside;
  std::string what;      ///< a noun phrase: "its time limit", "something on fd 6 (socket:[5])"
  std::vector<Pid> by;   ///< with `process`, `lock` and `object`: processes that could bring it on
  Channel channel;       ///< with `channel`
  bool for_room = false;  ///< with `channel`: it wants to write
  unsigned long long signals = 0;  ///< with `signal`: which (bit 0 is signal 1)

  /// What this program does not follow.
  static Source untold(std::string what) { return {Kind::outside, std::move(what), {}, {}, false, 0}; }
  /// Something else than a process of the arena could bring it on, or nobody can tell what could.
  [[nodiscard]] bool is_open() const { return kind == Kind::time || kind == Kind::outside; }
};

/// What one thread waits for. It goes on as soon as any one source fires.
struct ThreadWait {
  Thread thread;
  std::string doing;            ///< "sleeps in read on fd 0 (pipe:[123])", a sentence without its subject
  bool runs = false;            ///< it runs, is about to, or waits in the kernel for the machine
  bool on_a_set = false;        ///< it waits for descriptors in poll, select or epoll, or for nothing but signals
  std::vector<Source> any_of;
};

/// What a process waits for: it goes on as soon as any thread does, or a handler runs. A value.
struct ProcessWait {
  enum class State { blocked, runs, zombie, stopped };
  State state = State::blocked;
  std::string doing;                 ///< of the thread that tells most
  std::vector<ThreadWait> threads;
  std::size_t told = 0;              ///< the index of that thread
  std::vector<Source> handlers;      ///< signals that it handles, its timers
  unsigned long long handled = 0;    ///< signals that a handler, sigwait or a signalfd would take, but SIGCHLD
  bool has_timers = false;           ///< made by timer_create(2); whether one is set cannot be seen
};

/// What may be asked of everybody else while a process is looked at. Borrows all of it.
struct Surroundings {
  const std::unordered_map<Pid, Standing>& everyone;
  const Channels& channels;
  Pid root = 0;  ///< the warden
};

/// Reads what the walk has not: each thread's call and signal mask, poll's list from the process's memory, an epoll's from
/// fdinfo. REQUIRES: `standing` is identified.
ProcessWait wait_of(const Standing& standing, const Surroundings& around);

/// By its system call alone: whether a thread may be waiting for a pipe or socket, or for other threads that are.
bool may_wait_for_channel(const Thread& thread);

/// The name of a system call ("read"); "system call 123" for one that does not wait.
std::string call_name(long number);

/// Only such as a terminal sends when somebody types (SIGINT and the like).
bool from_keyboard_only(unsigned long long signals);

/// "SIGINT, SIGTERM and 3 more".
std::string signals_in(unsigned long long mask);

}  // namespace forkproof::observe
