#pragma once
#include <optional>
#include <string>
#include <vector>

#include "harness/observe/snapshot.h"

namespace forkproof::observe {

/// What a process waits for, as one thread of it shows. A value.
struct Wait {
  enum class Kind {
    nothing,    ///< it runs, or is a zombie
    process,    ///< the end (or the exec) of processes
    channel,    ///< something to come through pipes or sockets, room in one, or their end
    lock,       ///< a lock that processes hold
    stopped,    ///< SIGCONT, or what its tracer does
    by_itself,  ///< time, a signal, or what this program does not follow
  };
  Kind kind = Kind::nothing;
  std::string doing;               ///< "sleeps in read(0), pipe:[123]", a sentence without its subject
  std::vector<Pid> on;             ///< with `process` and `lock`
  std::vector<Channel> channels;   ///< with `channel`: those it waits on
  bool for_room = false;           ///< with `channel`: it wants to write
  bool limited = false;            ///< by a time: it goes on then, come what may
};

/// What this process waits for; of several threads the first that waits for somebody else, as far as there is one.
/// Reads what the walk has not: poll's list from the process's memory, an epoll's from fdinfo, /proc/locks.
Wait wait_of(const Standing& standing);

/// By its system call alone: whether a thread may be waiting for a pipe or socket, or for other threads that are.
bool may_wait_for_channel(const Thread& thread);

/// The name of a system call ("read"); "system call 123" for one that does not wait.
std::string call_name(long number);

}  // namespace forkproof::observe
