#include "harness/fuzz/emit_text.h"

namespace forkproof::fuzz::emit {

const char preamble[] = R"(#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

static pid_t watcher;  // main's process: whoever is left is below it
static void kill_all_below();
[[noreturn]] static void could_not_tell(const char* what) {
  std::fprintf(stderr, "could not tell: %s\n", what);
  if (getpid() == watcher) kill_all_below();
  _exit(2);
}

// What the supervisor tells of itself, in memory that it shares with the process that watches it.
struct Told {
  char state[32];
  int reaped, vanished, closed_waits, selector_error;
  long bytes_read;
  in_port_t port;
  pid_t task;
};
static Told* told;
static int all_up[2];        // each process of the tree writes a byte here when it is up
static int end_of_task[2];   // a byte: the task may end
static int to_supervisor[2]; // 'r': the server revoked the task. 'e': the end may go on
static int from_supervisor[2];

static long now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

static std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> pids;
  std::stringstream list(text_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children"));
  for (pid_t each; list >> each;) pids.push_back(each);
  return pids;
}

static std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> all;
  for (const pid_t child : children_of(pid)) {
    all.push_back(child);
    for (const pid_t below : descendants_of(child)) all.push_back(below);
  }
  return all;
}

// Z: dead, and nobody has collected it.
[[maybe_unused]] static char state_of(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_ends = stat.rfind(')');
  return name_ends == std::string::npos ? 'X' : stat[name_ends + 2];
}

static void kill_all_below() {
  for (;;) {
    for (const pid_t pid : descendants_of(getpid())) kill(pid, SIGKILL);
    if (waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

static int pidfd_of(pid_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) could_not_tell("pidfd_open");
  return fd;
}

// Whether there is something to read, or an end, within the time (-1: any).
static bool ready_within(int fd, long ms) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(ms)) > 0;
}

)";

const char survivors_code[] = R"(// SIGKILL is on its way: as good as dead.
static bool is_doomed(pid_t pid) {
  std::stringstream status(text_of("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigPnd:", 0) != 0 && line.rfind("ShdPnd:", 0) != 0) continue;
    if ((std::strtoull(line.c_str() + 7, nullptr, 16) >> (SIGKILL - 1)) & 1) return true;
  }
  return false;
}

static int survivors(pid_t supervisor, const char* what) {
  int count = 0;
  for (const pid_t pid : children_of(getpid())) {
    if (pid == supervisor) continue;
    const char state = state_of(pid);
    if (state == 'Z' || state == 'X' || is_doomed(pid)) continue;
    std::printf("pid %d %s\n", pid, what);
    ++count;
  }
  return count;
}

)";

const char task_helpers[] = R"(// The task and what it starts: plain forks.
[[maybe_unused]] static pid_t start(void (*node)()) {
  const pid_t pid = fork();
  if (pid == 0) node();
  return pid;
}
[[maybe_unused]] static void to_null(int fd) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, fd);
  if (null != fd) close(null);
}
// Also what the tree's own handshake does not need.
[[maybe_unused]] static void close_all_but_standard() {
  for (int fd = 3; fd < 256; ++fd) {
    if (fd != all_up[1] && fd != end_of_task[0]) close(fd);
  }
}
static void say_up() {
  if (write(all_up[1], "u", 1) != 1) _exit(99);
}

)";

const char handler_code[] = R"(static void on_signal(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

)";

const char lifetime_code[] = R"(// A task that has so much to do.
[[noreturn]] static void live_for(long ms, int code) {
  const long until = now_ms() + ms;
  for (long left = ms; left > 0; left = until - now_ms()) poll(nullptr, 0, static_cast<int>(left));
  _exit(code);
}

)";

const char output_code[] = R"(static void write_out(long bytes, long at_a_time) {
  const std::string piece(static_cast<std::size_t>(at_a_time), 'x');
  while (bytes > 0) {
    const ssize_t wrote = write(1, piece.data(), static_cast<std::size_t>(bytes < at_a_time ? bytes : at_a_time));
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) bytes -= wrote;
  }
}

)";

}  // namespace forkproof::fuzz::emit
