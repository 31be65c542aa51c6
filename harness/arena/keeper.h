#pragma once
#include <string>

#include "harness/arena/arena.h"

namespace forkproof::arena {

/// What the keeper holds up.
struct Keep {
  Tier tier;
  std::string cgroup;  ///< path, or empty
  int owner_pidfd;     ///< the process that opened the arena
  const Contents& contents;
};

/// The keeper's whole life; its return value is its exit code. Active: it blocks until the arena is gone.
///
/// It stands outside the PID namespace, so nothing that runs inside can reach it, and promises:
///  - when the warden ends, servers and cgroup go, and it exits with the warden's code;
///  - when the owner asks (SIGTERM) or dies in whatever way, the arena ends within milliseconds;
///  - when it is itself killed, the kernel kills the warden (parent-death signal), and with it the PID namespace.
int keep(const Keep& plan);

}  // namespace forkproof::arena
