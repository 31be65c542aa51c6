#include "harness/observe/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"
#include "harness/observe/proc.h"
#include "harness/observe/proc_files.h"

namespace forkproof::observe {
namespace {

bool read_stat(Pid pid, Standing* standing) {
  char path[40], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const Fd file = open_proc(path);
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) return false;
  text[got] = '\0';
  const auto stat = parse_proc_stat(text);
  if (!stat) return false;
  standing->name = stat->name, standing->state = stat->state;
  standing->parent = stat->parent, standing->group = stat->group, standing->session = stat->session;
  standing->threads = stat->threads;
  if (const auto tracer = proc_lines(pid, "status", "TracerPid:"); !tracer.empty()) standing->tracer = std::atoi(tracer.front().c_str());
  // A main thread that has ended has no descriptors to show, though the process has.
  if (stat->state == 'Z' && stat->threads > 1) standing->channels_read = false;
  return true;
}

void add_channel(int folder, const char* fd, Standing* standing) {
  char target[64];
  const ssize_t size = ::readlinkat(folder, fd, target, sizeof target - 1);
  if (size <= 0) return;
  target[size] = '\0';
  unsigned long inode = 0;
  if (std::sscanf(target, "pipe:[%lu]", &inode) == 1) standing->channels.push_back({std::atoi(fd), {false, inode}});
  else if (std::sscanf(target, "socket:[%lu]", &inode) == 1) standing->channels.push_back({std::atoi(fd), {true, inode}});
  else if (std::strcmp(target, "anon_inode:[eventfd]") == 0) standing->eventfds.push_back(std::atoi(fd));
  else if (std::strcmp(target, "anon_inode:[timerfd]") == 0) standing->timerfds.push_back(std::atoi(fd));
  else if (std::strcmp(target, "anon_inode:[io_uring]") == 0) standing->io_uring = true;
}

/// False when it is gone.
bool read_channels(Pid pid, Standing* standing) {
  char path[40];
  std::snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR* folder = open_proc_folder(path);
  if (folder == nullptr) return errno != ENOENT && errno != ESRCH;
  standing->channels_read = true;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') add_channel(::dirfd(folder), entry->d_name, standing);
  }
  ::closedir(folder);
  return true;
}

}  // namespace

std::string Channel::name() const { return fmt::format("{}:[{}]", socket ? "socket" : "pipe", inode); }

std::unordered_map<Pid, Standing> walk(bool sealed, Pid root) {
  std::vector<Pid> pids = everybody(sealed, root);
  pids.push_back(root);
  std::unordered_map<Pid, Standing> all;
  all.reserve(pids.size());
  for (const Pid pid : pids) {
    Standing standing;
    standing.pid = pid;
    if (read_channels(pid, &standing)) all.emplace(pid, std::move(standing));
  }
  return all;
}

void identify(Standing* standing) {
  if (std::exchange(standing->identified, true) || read_stat(standing->pid, standing)) return;
  standing->state = "Z", standing->name = "process";  // gone meanwhile
}

Ends ends_of(Pid pid, int fd) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  struct stat about {};
  if (stat_proc(path, &about, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return {(about.st_mode & S_IRUSR) != 0, (about.st_mode & S_IWUSR) != 0};
}

long descriptor_flags(Pid pid, int fd) {
  const std::vector<std::string> flags = descriptor_details(pid, fd, "flags:");
  return flags.empty() ? -1 : std::strtol(flags.front().c_str(), nullptr, 8);
}

std::vector<std::string> descriptor_details(Pid pid, int fd, const std::string& key) {
  ProcText file(fmt::format("/proc/{}/fdinfo/{}", pid, fd));
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) == 0) found.push_back(line.substr(key.size()));
  }
  return found;
}

}  // namespace forkproof::observe
