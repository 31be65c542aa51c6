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
///  - when the owner asks (SIGTERM), the arena ends within milliseconds;
///  - when the owner dies in whatever way, the kernel kills the keeper (parent-death signal), also one that
///    is stopped; in the tier without a PID namespace the keeper sees that end, and kills what is left before
///    it goes;
///  - when it is itself killed, the kernel kills servers and warden the same way, and with it the PID
///    namespace. The cgroup is then left to the owner, or to the owner's CgroupRemover;
///  - PID 1 is not stopped by anybody for longer than Pid1Watch takes to see it: it is continued, or the
///    arena ends.
int keep(const Keep& plan);

}  // namespace forkproof::arena
