#pragma once
#include <cstdint>
#include <optional>
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
  std::string text;          ///< the whole line: while it stays the same, the thread most likely has not moved
};

/// All threads of a process; empty when it is gone.
std::vector<Thread> threads_of(Pid pid);

/// The main thread of a process: a single small read. False when it is gone.
bool main_thread(Pid pid, Thread* thread);

/// How often the kernel has taken the processor from a thread, or the thread has given it back. A thread that is
/// blocked at two looks with the same count between has been blocked all the time. Empty when it is gone.
std::optional<std::uint64_t> switches_of(Pid pid, int tid);

/// futex(WAIT), (WAIT_BITSET) or (LOCK_PI) with no timeout, on a word that no other process can reach.
bool waits_for_ever_on_private_futex(Pid pid, const Thread& thread);

/// The owner's thread id as the process itself counts (see namespaces.h), which pthread and std mutexes keep 8 bytes behind
/// the futex word; 0 when there is none.
int mutex_owner(Pid pid, unsigned long futex_word);

/// The process that has this thread, both numbered as /proc does; 0 when there is none.
Pid process_of_thread(int tid);

/// Whose memory an address is in: the file name of a program or library, "[heap]", "[stack]", or empty.
std::string memory_at(Pid pid, unsigned long address);

/// A field of /proc/PID/status; empty when it is gone.
std::string status_field(Pid pid, const std::string& key);

}  // namespace forkproof::observe
