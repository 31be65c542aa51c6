#pragma once
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

// A number that a process gives to the kernel, or keeps in its memory, counts in its own PID namespace (`man 7
// pid_namespaces`). The same number in /proc may be another process. These functions translate by NSpid in status.
// Numbers in /proc/locks and in fdinfo of a pidfd count as /proc does, and need no translation.

/// Which of `candidates` (processes) the process `speaker` calls `number`; 0 when it is none of them.
Pid process_called(Pid speaker, int number, const std::vector<Pid>& candidates);

/// The process that has the thread which `speaker` calls `tid`: itself, or one of `candidates`; 0 when there is none.
Pid process_with_thread(Pid speaker, int tid, const std::vector<Pid>& candidates);

/// Whether the process has a PID namespace below the one of /proc.
bool in_nested_pid_namespace(Pid pid);

}  // namespace forkproof::observe
