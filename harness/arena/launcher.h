#pragma once
#include <sys/types.h>

#include <functional>

namespace forkproof::arena {

/// A command and the process of the rig's own that is its parent.
struct Launched {
  pid_t launcher = -1;
  pid_t command = -1;
};

/// Forks a launcher, and from it the command, in which `become` runs: it must not return. A command whose
/// parent is PID 1 takes itself for an orphan where it polls getppid() == 1; here that is true only once the
/// launcher is gone.
///
/// The launcher
///  - has every signal blocked, so that a kill(-1) in the arena does not end it, unless by SIGKILL;
///  - has no descriptor, and keeps the process group and session of PID 1, so it holds nothing
///    of the command's;
///  - adopts nobody: orphans go to PID 1;
///  - exits when the command has ended and leaves the dead to PID 1, which reaps it as it reaps orphans.
/// When this returns, the launcher holds none of the caller's descriptors any more. Throws HarnessFailure.
Launched launch(const std::function<void()>& become);

/// Ends the launcher, also one that is stopped; the command is then a child of PID 1. Does nothing twice.
void end_launcher(Launched& launched);

}  // namespace forkproof::arena
