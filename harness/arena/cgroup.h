#pragma once
#include <string>

#include "harness/core/fd.h"

namespace forkproof::arena {

/// The directory below which cgroup v2 groups of our own can be made: our own group's, or the hierarchy's root.
/// Mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified; empty with the reason in `refusal` when not writable.
std::string writable_cgroup_parent(std::string* refusal);

/// A name that no other arena has: it holds this process's PID namespace and pid, for the sweep.
std::string fresh_cgroup_name();

/// What the names of all groups of this process begin with.
std::string cgroup_names_of_this_process();

/// Makes a group; throws HarnessFailure.
Fd make_cgroup(const std::string& path);

/// Kills whatever is left in the group and in groups inside it, and removes them all. False when it is still there afterwards.
bool remove_cgroup(const std::string& path);

/// Removes the groups below `parent` whose names begin so, with whatever is left in them.
void remove_cgroups_named(const std::string& parent, const std::string& beginning);

/// Removes groups whose repro is gone.
void sweep_stale_cgroups(const std::string& parent);

}  // namespace forkproof::arena
