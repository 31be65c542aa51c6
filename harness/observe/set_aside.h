#pragma once
#include "harness/core/event.h"

namespace forkproof::observe {

// The launcher (arena/launcher.h) stands between PID 1 and a command for the command's eyes alone. Everybody
// else reads its children as PID 1's, and it is in no list of processes: not in a census, not in an
// explanation, not in a story.

/// REQUIRES: called in PID 1, once, with a child of its own. From now on `launcher` is left out and `root`
/// stands for it.
void set_aside(Pid launcher, Pid root);
bool is_set_aside(Pid pid);
/// The parent as it is told: the root for the launcher, else itself.
Pid told_parent(Pid parent);

}  // namespace forkproof::observe
