#include "harness/faults/pipe_writers.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "harness/core/proc_root.h"

namespace forkproof::faults {
namespace {

/// A thread and the system call that it sleeps in.
struct Call {
  std::string folder;  ///< /proc/PID/task/TID
  Pid pid = 0;
  long number = -1;
  unsigned long arguments[6] = {};
};

/// A call that sleeps until a descriptor has room, and which argument that descriptor is.
struct WritingCall {
  long number;
  const char* name;
  int descriptor;
};
constexpr WritingCall writing_calls[] = {{SYS_write, "write", 0},       {SYS_writev, "writev", 0},
                                         {SYS_pwritev2, "pwritev2", 0}, {SYS_sendfile, "sendfile", 0},
                                         {SYS_splice, "splice", 2},     {SYS_tee, "tee", 1},
                                         {SYS_vmsplice, "vmsplice", 0}};

constexpr std::size_t most_polled = 4096;

const WritingCall* writing(const Call& call) {
  for (const WritingCall& each : writing_calls) {
    if (each.number == call.number) return &each;
  }
  return nullptr;
}

std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> numbers;
  DIR* directory = open_proc_folder(folder);
  if (directory == nullptr) return numbers;
  while (const dirent* entry = ::readdir(directory)) {
    if (const int number = std::atoi(entry->d_name); number > 0) numbers.push_back(number);
  }
  ::closedir(directory);
  return numbers;
}

std::optional<Call> call_of(Pid pid, int tid) {
  Call call{fmt::format("/proc/{}/task/{}", pid, tid), pid};
  ProcText file(call.folder + "/syscall");
  std::string text;
  std::getline(file, text);
  unsigned long* a = call.arguments;
  const int fields = std::sscanf(text.c_str(), "%ld %lx %lx %lx %lx %lx %lx", &call.number, a, a + 1, a + 2,
                                 a + 3, a + 4, a + 5);
  return fields == 7 ? std::optional(call) : std::nullopt;  // else it runs, or is gone
}

bool is_pipe(const Call& call, unsigned long fd, ino_t pipe) {
  struct stat about {};
  const std::string path = fmt::format("{}/fd/{}", call.folder, static_cast<unsigned>(fd));
  return stat_proc(path, &about) == 0 && S_ISFIFO(about.st_mode) && about.st_ino == pipe;
}

/// Reads `size` bytes of its memory; false when they are not to be had.
bool read_memory(Pid pid, unsigned long address, void* into, std::size_t size) {
  iovec here{into, size};
  iovec there{reinterpret_cast<void*>(address), size};
  return ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

bool polls_for_room(const Call& call, ino_t pipe) {
  std::vector<pollfd> asked(std::min<std::size_t>(call.arguments[1], most_polled));
  if (asked.empty() ||
      !read_memory(call.pid, call.arguments[0], asked.data(), asked.size() * sizeof asked[0]))
    return false;
  return std::any_of(asked.begin(), asked.end(), [&](const pollfd& each) {
    return each.fd >= 0 && (each.events & (POLLOUT | POLLWRNORM)) != 0 &&
           is_pipe(call, static_cast<unsigned long>(each.fd), pipe);
  });
}

bool selects_for_room(const Call& call, ino_t pipe) {
  fd_set asked;
  FD_ZERO(&asked);
  const int count = static_cast<int>(std::min<unsigned long>(call.arguments[0], FD_SETSIZE));
  constexpr int bits = 8 * sizeof(unsigned long);
  const std::size_t size = static_cast<std::size_t>((count + bits - 1) / bits) * sizeof(unsigned long);
  if (call.arguments[2] == 0 || !read_memory(call.pid, call.arguments[2], &asked, size)) return false;
  for (int fd = 0; fd < count; ++fd) {
    if (FD_ISSET(fd, &asked) && is_pipe(call, static_cast<unsigned long>(fd), pipe)) return true;
  }
  return false;
}

/// By the lines of the epoll's fdinfo (`man 5 proc`): "tfd: 1 events: 4 data: ...".
bool epoll_waits_for_room(const Call& call, ino_t pipe) {
  ProcText file(fmt::format("{}/fdinfo/{}", call.folder, static_cast<unsigned>(call.arguments[0])));
  for (std::string line; std::getline(file, line);) {
    int fd = -1;
    unsigned events = 0;
    if (std::sscanf(line.c_str(), "tfd: %d events: %x", &fd, &events) != 2) continue;
    const bool wants_room = (events & EPOLLOUT) != 0 && (events & EPOLLET) == 0;
    if (wants_room && is_pipe(call, static_cast<unsigned long>(fd), pipe)) return true;
  }
  return false;
}

std::string proof_in(const Call& call, ino_t pipe) {
  if (const WritingCall* found = writing(call); found != nullptr) {
    if (!is_pipe(call, call.arguments[found->descriptor], pipe)) return {};
    return fmt::format("pid {} is blocked in {}() to it", call.pid, found->name);
  }
  const char* way = nullptr;
  switch (call.number) {
    case SYS_poll:
    case SYS_ppoll:
      way = polls_for_room(call, pipe) ? "poll" : nullptr;
      break;
    case SYS_select:
    case SYS_pselect6:
      way = selects_for_room(call, pipe) ? "select" : nullptr;
      break;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      way = epoll_waits_for_room(call, pipe) ? "epoll" : nullptr;
      break;
    default:
      break;
  }
  return way != nullptr
             ? fmt::format("pid {} never blocks in a write, and waits for room in it ({})", call.pid, way)
             : "";
}

}  // namespace

std::string proof_of_pending_output(ino_t pipe) {
  for (const Pid pid : numbers_in("/proc")) {
    if (pid == ::getpid()) continue;
    for (const int tid : numbers_in(fmt::format("/proc/{}/task", pid))) {
      const auto call = call_of(pid, tid);
      const std::string proof = call ? proof_in(*call, pipe) : "";
      if (!proof.empty()) return proof;
    }
  }
  return {};
}

bool is_blocked_in_a_write(Pid pid) {
  const std::vector<int> threads = numbers_in(fmt::format("/proc/{}/task", pid));
  return std::any_of(threads.begin(), threads.end(), [pid](int tid) {
    const auto call = call_of(pid, tid);
    return call && writing(*call) != nullptr;
  });
}

}  // namespace forkproof::faults
