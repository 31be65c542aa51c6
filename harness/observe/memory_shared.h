#pragma once
#include "harness/core/event.h"

namespace forkproof::observe {

/// Another process has the same memory (vfork, clone with CLONE_VM), so it could set a futex of this one. True where a
/// relative cannot be asked; strangers that cannot be asked run under another user, and count as none.
bool shares_memory_with_anyone(Pid pid);

}  // namespace forkproof::observe
