#pragma once
#include <string>
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

/// One thread and the system call that it is in (`man 5 proc`, /proc/PID/task/TID/syscall).
struct Thread {
  int tid = 0;
  bool blocked = false;      ///< false: running, or gone
  long number = -1;          ///< of the call; -1: blocked outside of any (a page fault)
  unsigned long arguments[6] = {};
};

/// All threads of a process; empty when it is gone.
std::vector<Thread> threads_of(Pid pid);

/// The one thread of a process that has just one: a single small read. False when there are more, or it is gone.
bool only_thread(Pid pid, Thread* thread);

/// futex(WAIT), (WAIT_BITSET) or (LOCK_PI) with no timeout, on a word that no other process can reach.
bool waits_for_ever_on_private_futex(Pid pid, const Thread& thread);

}  // namespace forkproof::observe
