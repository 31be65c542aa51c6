#pragma once
#include <optional>
#include <string>

#include "harness/core/event.h"

namespace forkproof::observe {

/// What descriptor `fd` of a process is, as /proc/PID/fd names it ("pipe:[123]"); empty when it is not to be had.
std::string descriptor_name(Pid pid, int fd);

enum class Access { any, reading, writing };

/// The number of the first descriptor of this name that a process has open so; -1 when it has none. Empty where nobody
/// may look (`man 5 proc`, /proc/PID/fd) or the process is gone.
std::optional<int> find_descriptor(Pid pid, const std::string& name, Access access);

/// Nobody but `pid` holds a descriptor of this name that can be read from, and none is on its way to anybody inside a
/// socket (`scm_fds` in fdinfo). Looks at every process of /proc; false where it could not look.
bool nobody_else_can_read(Pid pid, const std::string& name);

}  // namespace forkproof::observe
