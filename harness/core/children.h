#pragma once
#include <vector>

namespace forkproof {

/// Whether opening a file of /proc/PID failed since there is no such process.
bool means_gone(int error);

/// The children of a process, of all its threads (`man 5 proc`, /proc/PID/task/TID/children). Empty when it is gone;
/// HarnessFailure when they cannot be read.
/// A child that is born or re-parented meanwhile can be missed: callers look until a look finds nothing.
std::vector<int> children_of(int pid);

/// Whether this process has a child, living or not yet reaped (or a tracee), by wait(2) and not by /proc. Every process of a
/// PID namespace is a descendant of its PID 1, so without children PID 1 is alone.
bool has_children();

/// The whole tree below a process, parents before children.
std::vector<int> descendants_of(int pid);

}  // namespace forkproof
