#include "harness/fuzz/emit_parts.h"

namespace forkproof::fuzz::emit {

std::string mutex_program(const std::string& head, const std::string& backend, bool execs) {
  const std::string spawn = execs ? R"(    execl("/bin/true", "true", static_cast<char*>(nullptr));  // a fresh image has no locks
    _exit(127);
)"
                                  : R"(    lock.lock();  // held by a thread that this process does not have
    _exit(0);
)";
  const std::string fork_call = backend == "raw-fork" ? "static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))" : "fork()";
  return head + R"(#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

static std::mutex lock;

int main() {
  int inside[2], leave[2];
  if (pipe(inside) != 0 || pipe(leave) != 0) return 2;
  std::thread holder([&] {
    const std::lock_guard<std::mutex> held(lock);
    char word = 'i';
    if (write(inside[1], &word, 1) != 1 || read(leave[0], &word, 1) != 1) std::perror("holder");
  });
  char word;
  if (read(inside[0], &word, 1) != 1) return 2;  // it is inside
  const pid_t child = )" + fork_call + R"(;
  if (child == 0) {
)" + spawn + R"(  }
  // Proved, not timed out: the child has one thread, and that is asleep in futex. Nobody is left in it who could wake it.
  const int child_fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  const std::string in_futex = std::to_string(SYS_futex) + " ";
  bool stuck = false, ended = false;
  for (int sightings = 0, looks = 0; looks < 10000 && !stuck && !ended; ++looks) {
    pollfd watched{child_fd, POLLIN, 0};
    ended = poll(&watched, 1, 1) > 0;
    std::string line;
    std::ifstream file("/proc/" + std::to_string(child) + "/syscall");
    std::getline(file, line);
    sightings = line.rfind(in_futex, 0) == 0 ? sightings + 1 : 0;
    stuck = sightings == 20;
  }
  std::printf("no-stuck-process: %s\n", stuck ? "broken: the child waits for a lock that nobody in it holds" : ended ? "kept" : "could not tell");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (write(leave[1], &word, 1) != 1) return 2;
  holder.join();
  return stuck ? 1 : ended ? 0 : 2;
}
)";
}

}  // namespace forkproof::fuzz::emit
