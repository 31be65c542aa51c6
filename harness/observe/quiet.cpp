#include "harness/observe/quiet.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

/// One small file of /proc; an empty string when there is none.
const char* read_at(int folder, const char* file, char (&block)[1024]) {
  const Fd opened(::openat(folder, file, O_RDONLY | O_CLOEXEC));
  if (!opened && (errno == EMFILE || errno == ENFILE)) fail(std::string("open /proc/PID/") + file);  // it is there all the same
  const ssize_t got = opened ? ::read(opened.get(), block, sizeof block - 1) : -1;
  block[std::max<ssize_t>(got, 0)] = '\0';
  return block;
}

/// In state D most wait for the machine, a disk or a grace period, and go on by themselves; so does who is in fork() while
/// another arena's cgroup is made. The one who waits for a warden's decision is the parent in vfork(), until its child
/// execs. It sleeps in the kernel's fork itself (`man 5 proc`, wchan; the names of Linux 4 to 6), not below it.
bool waits_for_vfork(int folder, const std::string& thread) {
  char block[1024];
  const std::string_view place = read_at(folder, (thread + "wchan").c_str(), block);
  if (!place.empty() && place != "0") {
    return place == "kernel_clone" || place == "wait_for_vfork_done" || place == "_do_fork" || place == "do_fork";
  }
  const char* text = read_at(folder, (thread + "syscall").c_str(), block);  // a kernel that does not tell the place
  if (*text < '0' || *text > '9') return false;
  const long number = std::strtol(text, nullptr, 10);
  return number == SYS_vfork || number == SYS_clone || number == SYS_clone3;
}

bool is_blocked(char state, int folder, const std::string& thread) {
  if (state == 'D') return waits_for_vfork(folder, thread);
  return std::strchr("STtZX", state) != nullptr;
}

/// `thread`: "" for the main thread, else "task/TID/". Returns how many threads the process has, 0 when it is gone.
int look_at_thread(int folder, const std::string& thread, SeenThread seen, std::vector<SeenThread>* all) {
  char block[1024];
  const auto stat = parse_proc_stat(read_at(folder, (thread + "stat").c_str(), block));
  if (!stat) return 0;
  seen.state = stat->state;
  // "nanoseconds-run nanoseconds-waited turns". Before the state is judged: one that runs now has one more by the next look.
  unsigned long long ran = 0, turns = 0;
  const bool counted = std::sscanf(read_at(folder, (thread + "schedstat").c_str(), block), "%llu %*u %llu", &ran, &turns) == 2;
  seen.turns = turns, seen.ran = Nanos(ran);
  seen.blocked = is_blocked(seen.state, folder, thread) && (counted || seen.state == 'Z' || seen.state == 'X');
  all->push_back(seen);
  return stat->threads;
}

}  // namespace

void look_into(int folder, Pid pid, std::vector<SeenThread>* seen) {
  if (look_at_thread(folder, "", {pid, pid}, seen) <= 1) return;
  const Fd tasks(::openat(folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* directory = tasks ? ::fdopendir(::dup(tasks.get())) : nullptr;
  if (directory == nullptr) return;
  seen->pop_back();
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') look_at_thread(folder, std::string("task/") + entry->d_name + "/", {pid, std::atoi(entry->d_name)}, seen);
  }
  ::closedir(directory);
}

void Quiet::forget() {
  last_.clear(), last_blocked_ = false;
  ran_before_.clear(), busiest_ = Nanos{};
}

Quiet::Seen Quiet::look() {
  std::vector<SeenThread> now;
  for (const Pid pid : everybody(sealed_, root_)) {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d", pid);
    const Fd folder = open_proc(path, O_PATH | O_DIRECTORY);
    if (!folder && !means_gone(errno)) fail(std::string("open ") + path);
    if (folder) look_into(folder.get(), pid, &now);
  }
  Pid nobody_here = 0;  // those outside have no number in here, and each needs a key of its own
  for (const Fd& folder : outside_) look_into(folder.get(), --nobody_here, &now);
  for (const SeenThread& each : now) {
    busiest_ = std::max(busiest_, each.ran - ran_before_.try_emplace({each.pid, each.tid}, each.ran).first->second);
  }
  const bool blocked = std::all_of(now.begin(), now.end(), [](const SeenThread& each) { return each.blocked; });
  const bool same = blocked && last_blocked_ && now == last_;
  last_ = std::move(now), last_blocked_ = blocked;
  return same ? Seen::at_rest : blocked ? Seen::blocked : Seen::moving;
}

}  // namespace forkproof::observe
