#pragma once

namespace forkproof::arena {

/// Kills and reaps children until there are none. With PR_SET_CHILD_SUBREAPER set, orphans become children, so this
/// empties the whole tree below. Returns how many were reaped. For the tier without a PID namespace; elsewhere the
/// kernel does it. Whoever has other children that should live must not call it.
int kill_descendants();

/// Arms PR_SET_PDEATHSIG against the parent behind `parent_pidfd`, and exits at once when it is gone already: the
/// arming race of `man 2 PR_SET_PDEATHSIG`.
void die_with(int parent_pidfd);

}  // namespace forkproof::arena
