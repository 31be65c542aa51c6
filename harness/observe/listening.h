#pragma once
#include <string>

#include "harness/core/event.h"

namespace forkproof::observe {

/// All sockets that accept connections and are open in some process of the arena, whichever process opened them: TCP, TCP6
/// and unix, in the arena's network namespace and in each other one that a process of it is in. The caller's own are left
/// out. REQUIRES: called in PID 1.
ListenersSeen listeners_in_arena(const std::string& when, bool sealed, Pid root);

}  // namespace forkproof::observe
