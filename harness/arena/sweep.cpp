#include "harness/arena/sweep.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "harness/core/children.h"

namespace forkproof::arena {
int kill_descendants() {
  int reaped = 0;
  for (;;) {
    // Kill what is there, reap one, look again: an orphan of the killed has become our child meanwhile.
    for (const int pid : children_of(::getpid())) ::kill(pid, SIGKILL);
    const pid_t dead = ::waitpid(-1, nullptr, 0);
    if (dead > 0) ++reaped;
    else if (errno != EINTR) return reaped;  // ECHILD: nobody is left
  }
}

void die_with(int parent_pidfd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd parent{parent_pidfd, POLLIN, 0};
  if (::poll(&parent, 1, 0) != 0) ::_exit(70);
}

}  // namespace forkproof::arena
