#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <sstream>
#include <string>

#include "harness/core/fd.h"

namespace forkproof {

// Every look at /proc goes through these functions. A command may mount over /proc, unmount it or remount it
// with hidepid: a look by path would then see no process, and an empty census would be a false "nobody is
// left". Paths are written as in `man 5 proc`, and begin with "/proc".

/// From now on this process looks at an instance of procfs that no path leads to. Processes that it forks do
/// not: they look by path. REQUIRES: PID 1 of an arena, before the first fork. Throws HarnessFailure.
void pin_proc();

/// As open(2); an empty Fd with errno when it cannot be opened.
Fd open_proc(const std::string& path, int flags = O_RDONLY);
/// As opendir(3).
DIR* open_proc_folder(const std::string& path);
/// As stat(2), or with AT_SYMLINK_NOFOLLOW as lstat(2): 0, or -1 with errno.
int stat_proc(const std::string& path, struct stat* about, int flags = 0);
/// What a link names; empty with errno when it cannot be read.
std::string proc_link(const std::string& path);

/// A file of /proc, read whole when this is made. Without a text where it cannot be read.
class ProcText : public std::istringstream {
 public:
  explicit ProcText(const std::string& path);
};

}  // namespace forkproof
