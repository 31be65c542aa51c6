#pragma once
#include <vector>

namespace forkproof::arena {

/// Kills and reaps children until there are none. With PR_SET_CHILD_SUBREAPER set, orphans become children, so this
/// empties the whole tree below. Returns how many were reaped. For the tier without a PID namespace; elsewhere the
/// kernel does it. Whoever has other children that should live must not call it.
int kill_descendants();

/// Arms PR_SET_PDEATHSIG against the parent behind `parent_pidfd`, and exits at once when it is gone already: the
/// arming race of `man 2 PR_SET_PDEATHSIG`.
void die_with(int parent_pidfd);

/// Without a PID namespace, the death of PID 1 kills nobody. So this process is not killed with these: its
/// warden kills the descendants first, then ends it, once one of these has ended. SIGCONT comes at the
/// parent's end, so that a stopped process takes notice.
void end_descendants_with(std::vector<int> pidfds);
/// What was given to end_descendants_with(); empty in a process that is killed instead.
const std::vector<int>& ends_descendants_with();
[[noreturn]] void end_with_descendants();

}  // namespace forkproof::arena
