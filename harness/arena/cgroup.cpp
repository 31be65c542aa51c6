#include "harness/arena/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

constexpr char prefix[] = "forkproof-";
constexpr int most_levels = 8;  // of groups inside groups

unsigned long pid_namespace() {
  struct stat about {};
  return ::stat("/proc/self/ns/pid", &about) == 0 ? static_cast<unsigned long>(about.st_ino) : 0;
}

/// Where cgroup2 is mounted, from /proc/self/mountinfo: field 5 is the place, the type stands after " - ".
std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::size_t dash = line.find(" - cgroup2 ");
    if (dash == std::string::npos) continue;
    std::istringstream fields(line);
    std::string place;
    for (int i = 0; i < 5; ++i) fields >> place;
    return place;
  }
  return {};
}

/// Our own group in the v2 hierarchy ("0::/x" in /proc/self/cgroup).
std::string own_group() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return {};
}

bool can_make_below(const std::string& parent, std::string* refusal) {
  const std::string trial = parent + "/" + fresh_cgroup_name();
  if (::mkdir(trial.c_str(), 0755) != 0) {
    *refusal = error_text("mkdir " + trial);
    return false;
  }
  ::rmdir(trial.c_str());
  return true;
}

}  // namespace

std::string cgroup_names_of_this_process() {
  char name[64];
  std::snprintf(name, sizeof name, "%s%lu-%d-", prefix, pid_namespace(), ::getpid());
  return name;
}

std::string fresh_cgroup_name() {
  static unsigned long serial = 0;
  unsigned random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = static_cast<unsigned>(::getpid());
  char name[32];
  std::snprintf(name, sizeof name, "%08x-%lu", random, serial++);
  return cgroup_names_of_this_process() + name;
}

std::string writable_cgroup_parent(std::string* refusal) {
  const std::string mount = cgroup2_mount();
  if (mount.empty()) {
    *refusal = "no cgroup v2 hierarchy is mounted";
    return {};
  }
  const std::string own = own_group();
  const std::string below_us = own.empty() || own == "/" ? mount : mount + own;
  if (can_make_below(below_us, refusal)) return below_us;
  if (below_us != mount && can_make_below(mount, refusal)) return mount;
  return {};
}

Fd make_cgroup(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0) fail("mkdir " + path);
  Fd group(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group) fail("open " + path);
  return group;
}

namespace {

/// The group and the groups that were made inside it (a backend's, a subject's), innermost first. False, for now, while
/// one of them holds a process.
bool remove_empty(const std::string& path, int levels = most_levels) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return true;
  if (levels == 0) return false;
  std::vector<std::string> inner;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return errno == ENOENT;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') inner.push_back(path + "/" + entry->d_name);
  }
  ::closedir(directory);
  for (const std::string& each : inner) remove_empty(each, levels - 1);
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

bool remove_cgroup(const std::string& path) {
  if (remove_empty(path)) return true;
  const Fd kill_file(::open((path + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  [[maybe_unused]] const auto written = kill_file ? ::write(kill_file.get(), "1", 1) : 0;
  const Fd events(::open((path + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  // The group empties when the last killed process is gone; cgroup.events tells (POLLPRI), at times late, so the
  // removal itself is the test. Bounded: 100 looks of at most 20 ms.
  for (int look = 0; look < 100; ++look) {
    if (remove_empty(path)) return true;
    char text[128];
    [[maybe_unused]] const auto got = ::pread(events.get(), text, sizeof text, 0);
    pollfd waiting{events.get(), POLLPRI, 0};
    ::poll(&waiting, 1, 20);
  }
  return false;
}

void remove_cgroups_named(const std::string& parent, const std::string& beginning) {
  DIR* directory = ::opendir(parent.c_str());
  if (directory == nullptr) return;
  std::vector<std::string> ours;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.starts_with(beginning)) ours.push_back(parent + "/" + name);
  }
  ::closedir(directory);
  for (const std::string& path : ours) remove_cgroup(path);
}

void sweep_stale_cgroups(const std::string& parent) {
  DIR* directory = ::opendir(parent.c_str());
  if (directory == nullptr) return;
  std::vector<std::string> stale;
  while (const dirent* entry = ::readdir(directory)) {
    unsigned long space = 0;
    int pid = 0;
    const std::string format = std::string(prefix) + "%lu-%d-";
    if (std::sscanf(entry->d_name, format.c_str(), &space, &pid) != 2) continue;
    if (space == pid_namespace() && ::kill(pid, 0) != 0 && errno == ESRCH) {
      stale.push_back(parent + "/" + entry->d_name);
    }
  }
  ::closedir(directory);
  for (const std::string& path : stale) remove_cgroup(path);
}

}  // namespace forkproof::arena
