#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/core/event.h"
#include "harness/core/fd.h"

namespace forkproof::observe {

/// One look at /proc/PID/stat and status (`man 5 proc`). Empty when the process is gone; HarnessFailure when
/// it cannot be looked at: who is not seen for want of a descriptor is there all the same.
struct Look {
  CensusEntry entry;
  Nanos cpu_time{};          ///< user and system, by the scheduler's ticks
  int exit_status = 0;       ///< of a zombie: its raw wait status
};
std::optional<Look> look_at(Pid pid);

/// Stopped by a signal: state T, or "t" where this process traces it, whose every other stop is over at once.
bool is_stopped(Pid pid, const std::string& state);

/// Its parent now; 0 when the process is gone.
Pid parent_of(Pid pid);

/// All pids of this PID namespace (of /proc as mounted), or, in the tier without one, all below `root`; without the launcher.
/// HarnessFailure when they cannot be listed.
std::vector<Pid> everybody(bool sealed, Pid root);

/// How a process ended, from a pidfd that was opened while it lived: from the zombie, or from the kernel's record
/// once somebody has reaped it (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15). Empty where neither is to be had.
std::optional<WaitStatus> exit_status(Pid pid, int pidfd);

/// Its PID namespace by its inode; 0 when it is gone.
ino_t pid_namespace_of(Pid pid);

/// A pidfd, or an empty Fd when the process is gone.
Fd open_pidfd(Pid pid);

}  // namespace forkproof::observe
