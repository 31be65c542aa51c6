#pragma once
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

/// Which of these processes hold a lock on the file that is descriptor `fd` of `waiter`, by flock(2) or fcntl(2). Taken
/// from the "lock:" lines of their descriptors: a lock by flock belongs to the open file, and the process that took it may
/// have ended. Empty when the holder is none of them (another PID namespace, another host).
std::vector<Pid> lock_holders(Pid waiter, int fd, const std::vector<Pid>& among);

}  // namespace forkproof::observe
