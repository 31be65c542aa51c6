#pragma once
#include <sys/types.h>

#include <functional>
#include <string>

#include "harness/core/event.h"

// Evidence, out of /proc, that somebody has output for a pipe that has no room for it.

namespace forkproof::faults {

/// A sentence such as "pid 7 is blocked in write() to it", of whichever process and thread it is true; empty
/// when of none. A writer that never blocks counts while it waits for room: in epoll_wait (EPOLLOUT,
/// level-triggered), poll or select. Edge-triggered interest proves nothing: event loops register it whether
/// or not they have output.
std::string proof_of_pending_output(ino_t pipe);

/// Whether some thread of it is blocked in a write to whatever.
bool is_blocked_in_a_write(Pid pid);

}  // namespace forkproof::faults
