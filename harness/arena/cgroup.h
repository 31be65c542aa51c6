#pragma once
#include <string>

#include "harness/core/fd.h"

namespace forkproof::arena {

/// The directory below which cgroup v2 groups of our own can be made: our own group's, or the hierarchy's root.
/// Mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified; empty with the reason in `refusal` when not writable.
std::string writable_cgroup_parent(std::string* refusal);

/// A name that no other arena has: it holds this process's PID namespace and pid, for the sweep.
std::string fresh_cgroup_name();

/// Makes a group; throws HarnessFailure.
Fd make_cgroup(const std::string& path);

/// Kills whatever is left in the group and in groups inside it, and removes them all. False when it is still there afterwards.
bool remove_cgroup(const std::string& path);

/// Removes groups whose repro is gone.
void sweep_stale_cgroups(const std::string& parent);

}  // namespace forkproof::arena
