#include "harness/observe/holders.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "harness/core/proc_root.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

struct FdInfo {
  unsigned long flags = 0;
  unsigned long on_the_way = 0;  // descriptors that wait in a socket to be received
};
FdInfo fd_info(const std::string& path) {
  ProcText file(path);
  FdInfo info;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags:", 0) == 0) info.flags = std::strtoul(line.c_str() + 6, nullptr, 8);
    if (line.rfind("scm_fds:", 0) == 0) info.on_the_way = std::strtoul(line.c_str() + 8, nullptr, 10);
  }
  return info;
}

bool could_read(Pid pid, const std::string& name, bool is_other) {
  const std::string process = "/proc/" + std::to_string(pid);
  DIR* folder = open_proc_folder(process + "/fd");
  if (folder == nullptr) return is_other && errno != ENOENT && errno != ESRCH;
  bool could = false;
  while (const dirent* entry = could ? nullptr : ::readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const std::string what = proc_link(process + "/fd/" + entry->d_name);
    const bool same = is_other && what == name;
    const bool socket = what.rfind("socket:", 0) == 0;
    if (!same && !socket) continue;
    const FdInfo info = fd_info(process + "/fdinfo/" + entry->d_name);
    could = (same && (info.flags & O_ACCMODE) != O_WRONLY) || (socket && info.on_the_way > 0);
  }
  ::closedir(folder);
  return could;
}

bool allows(unsigned long flags, Access access) {
  const unsigned long mode = flags & O_ACCMODE;
  return access == Access::any || mode == O_RDWR || mode == (access == Access::reading ? O_RDONLY : O_WRONLY);
}

}  // namespace

std::optional<int> find_descriptor(Pid pid, const std::string& name, Access access) {
  const std::string process = "/proc/" + std::to_string(pid);
  DIR* folder = open_proc_folder(process + "/fd");
  if (folder == nullptr) return std::nullopt;
  int found = -1;
  while (const dirent* entry = found < 0 ? ::readdir(folder) : nullptr) {
    if (entry->d_name[0] == '.' || proc_link(process + "/fd/" + entry->d_name) != name) continue;
    const bool wanted = access == Access::any || allows(fd_info(process + "/fdinfo/" + entry->d_name).flags, access);
    if (wanted) found = std::atoi(entry->d_name);
  }
  ::closedir(folder);
  // One that ends meanwhile has closed what was not looked at yet: that is no sight of it.
  const auto look = found < 0 ? look_at(pid) : std::nullopt;
  if (found < 0 && (!look || look->entry.doomed)) return std::nullopt;
  return found;
}

std::string descriptor_name(Pid pid, int fd) {
  return proc_link("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd));
}

bool nobody_else_can_read(Pid pid, const std::string& name) {
  DIR* folder = open_proc_folder("/proc");
  if (folder == nullptr) return false;
  bool nobody = true;
  while (const dirent* entry = nobody ? ::readdir(folder) : nullptr) {
    const Pid other = std::atoi(entry->d_name);
    if (other > 0 && could_read(other, name, other != pid)) nobody = false;
  }
  ::closedir(folder);
  return nobody;
}

}  // namespace forkproof::observe
