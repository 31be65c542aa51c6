#include "harness/observe/file_locks.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/observe/proc_files.h"

namespace forkproof::observe {
namespace {

bool same_file(const struct stat& one, Pid pid, int fd) {
  struct stat other {};
  return stat_proc(fmt::format("/proc/{}/fd/{}", pid, fd), &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool holds_lock(Pid pid, const struct stat& file) {
  const std::vector<int> fds = proc_numbers(pid, "fd");
  return std::any_of(fds.begin(), fds.end(), [&](int fd) {
    return same_file(file, pid, fd) && !proc_lines(pid, fmt::format("fdinfo/{}", fd), "lock:").empty();
  });
}

}  // namespace

std::vector<Pid> lock_holders(Pid waiter, int fd, const std::vector<Pid>& among) {
  struct stat file {};
  std::vector<Pid> holders;
  if (stat_proc(fmt::format("/proc/{}/fd/{}", waiter, fd), &file) != 0) return holders;
  std::copy_if(among.begin(), among.end(), std::back_inserter(holders), [&](Pid pid) { return holds_lock(pid, file); });
  return holders;
}

}  // namespace forkproof::observe
