#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "harness/arena/tier.h"
#include "harness/core/fd.h"

namespace forkproof::arena {

/// clone3 (`man 2 clone3`) of this single-threaded process; the child runs `body` and exits with what it returns.
/// `cgroup` >= 0 puts it straight into that group. Returns the pid and a pidfd, or throws HarnessFailure.
struct Clone {
  pid_t pid = -1;
  Fd pidfd;
};
Clone clone_process(std::uint64_t flags, int cgroup, const std::function<int()>& body);

/// Namespaces that the keeper lives in (the servers' network), and those that the warden gets on top.
std::uint64_t keeper_flags(Tier tier, Privacy privacy = Privacy::all);
std::uint64_t warden_flags(Tier tier);

/// Inside a new user namespace: maps our own uid and gid to root.
void become_root_of_user_namespace(uid_t outer_uid, gid_t outer_gid);
/// The same, but everybody stays who he is outside; PID 1 has the rights of root in the namespace until it calls exec.
void keep_identity_in_user_namespace(uid_t outer_uid, gid_t outer_gid);
/// Inside a new network namespace: loopback up.
void raise_loopback();
/// Inside new PID and mount namespaces: a private /proc that shows just this arena.
void mount_private_proc();

}  // namespace forkproof::arena
