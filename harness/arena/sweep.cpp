#include "harness/arena/sweep.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "harness/core/children.h"

namespace forkproof::arena {
namespace {

std::vector<int> life_pidfds;

}  // namespace

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

void end_descendants_with(std::vector<int> pidfds) {
  ::prctl(PR_SET_PDEATHSIG, SIGCONT);
  life_pidfds = std::move(pidfds);
}

const std::vector<int>& ends_descendants_with() { return life_pidfds; }

void end_with_descendants() {
  kill_descendants();
  ::_exit(70);
}

}  // namespace forkproof::arena
