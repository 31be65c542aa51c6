#include "harness/observe/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"
#include "harness/observe/set_aside.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

// linux/pidfd.h of 6.15; Debian 12's headers are older than its kernel may be.
struct PidfdInfo {
  std::uint64_t mask = 0, cgroup = 0;
  std::uint32_t pid = 0, tgid = 0, parent = 0, ids[8] = {};
  std::int32_t exit_code = 0;
};
constexpr std::uint64_t info_exit = 1U << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);

constexpr unsigned long exiting_flag = 0x4;  // PF_EXITING in the kernel's include/linux/sched.h

/// Empty when the process is gone. What cannot be read for another reason (no descriptor is left, no permission) is not
/// gone: that would make the dead of the living.
std::string read_file(const char* path) {
  const Fd file = open_proc(path);
  if (!file && !means_gone(errno)) fail(std::string("open ") + path);
  std::string text;
  char block[4096];
  for (ssize_t got; file && (got = ::read(file.get(), block, sizeof block)) > 0;) {
    text.append(block, static_cast<std::size_t>(got));
  }
  return text;
}

/// True when SIGKILL waits for it, which is also how the kernel marks a process that a fatal signal has hit, or when its core
/// is being written: that thread has taken its signal already.
bool is_dying(Pid pid) {
  char path[40];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const std::string status = read_file(path);
  if (status.find("\nCoreDumping:\t1") != std::string::npos) return true;
  for (const char* key : {"\nSigPnd:\t", "\nShdPnd:\t"}) {
    const std::size_t at = status.find(key);
    if (at == std::string::npos) continue;
    const unsigned long long mask = std::strtoull(status.c_str() + at + std::strlen(key), nullptr, 16);
    if ((mask & (1ULL << (SIGKILL - 1))) != 0) return true;
  }
  return false;
}

/// State and flags of a thread that has not ended; unchanged when there is none.
void living_thread(Pid pid, char* state, unsigned long* flags) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/task/";
  DIR* directory = open_proc_folder(folder);
  if (directory == nullptr && !means_gone(errno)) fail("open " + folder);
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string stat = entry->d_name[0] == '.' ? "" : read_file((folder + entry->d_name + "/stat").c_str());
    const auto thread = parse_proc_stat(stat.c_str());
    if (!thread || thread->state == 'Z' || thread->state == 'X') continue;
    *state = thread->state, *flags = thread->flags;
    break;
  }
  ::closedir(directory);
}

}  // namespace

std::optional<Look> look_at(Pid pid) {
  char path[40];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const std::string stat = read_file(path);
  const auto read = parse_proc_stat(stat.c_str());
  if (!read) return std::nullopt;
  char state = read->state;
  unsigned long flags = read->flags;
  // A main thread that has ended shows as a zombie while the process lives on in its others.
  if (state == 'Z' && read->threads > 1) living_thread(pid, &state, &flags);
  Look look;
  look.entry.pid = pid, look.entry.name = read->name, look.entry.state = std::string(1, state);
  look.entry.parent = told_parent(read->parent), look.entry.group = read->group, look.entry.session = read->session;
  look.cpu_time = from_seconds(static_cast<double>(read->user_ticks + read->system_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  const std::size_t last = stat.rfind(' ');  // the exit code is the last field (52)
  look.exit_status = std::atoi(stat.c_str() + last + 1);
  look.entry.doomed = state == 'Z' || state == 'X' || (flags & exiting_flag) != 0 || is_dying(pid);
  return look;
}

bool is_stopped(Pid pid, const std::string& state) {
  return state == "T" || (state == "t" && std::atoi(status_field(pid, "TracerPid").c_str()) == ::getpid());
}

Pid parent_of(Pid pid) {
  const auto look = look_at(pid);
  return look ? look->entry.parent : 0;
}

std::vector<Pid> everybody(bool sealed, Pid root) {
  std::vector<Pid> pids;
  if (!sealed) {
    pids = descendants_of(root);
    std::erase_if(pids, is_set_aside);
    return pids;
  }
  DIR* directory = open_proc_folder("/proc");
  if (directory == nullptr) fail("open /proc");
  while (const dirent* entry = ::readdir(directory)) {
    const int pid = std::atoi(entry->d_name);
    if (pid > 0 && pid != root && !is_set_aside(pid)) pids.push_back(pid);
  }
  ::closedir(directory);
  return pids;
}

std::optional<WaitStatus> exit_status(Pid pid, int pidfd) {
  // A zombie tells in /proc, a reaped one in the pidfd. Reaping can come between the two looks, never the reverse.
  const auto look = look_at(pid);
  // Between the two it is in state X for a moment: its parent has taken the zombie, and the pidfd does not tell yet.
  if (look && (look->entry.state == "Z" || look->entry.state == "X")) return WaitStatus(look->exit_status);
  PidfdInfo info;
  info.mask = info_exit;
  if (::ioctl(pidfd, get_info, &info) == 0 && (info.mask & info_exit) != 0) return WaitStatus(info.exit_code);
  return std::nullopt;
}

ino_t pid_namespace_of(Pid pid) {
  struct stat about {};
  return stat_proc("/proc/" + std::to_string(pid) + "/ns/pid", &about) == 0 ? about.st_ino : 0;
}

Fd open_pidfd(Pid pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace forkproof::observe
