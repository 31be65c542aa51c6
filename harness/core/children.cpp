#include "harness/core/children.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/proc_root.h"

namespace forkproof {
namespace {

void add_children_of_thread(const std::string& path, std::vector<int>* into) {
  const Fd file = open_proc(path);
  if (!file && !means_gone(errno)) fail("open " + path);
  std::string text;
  char block[4096];
  for (ssize_t got; file && (got = ::read(file.get(), block, sizeof block)) > 0;) {
    text.append(block, static_cast<std::size_t>(got));
  }
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    const long pid = std::strtol(at, &end, 10);
    if (end == at) return;
    into->push_back(static_cast<int>(pid));
    at = end + (*end == ' ' ? 1 : 0);
  }
}

}  // namespace

bool means_gone(int error) { return error == ENOENT || error == ESRCH; }

std::vector<int> children_of(int pid) {
  std::vector<int> children;
  const std::string threads = "/proc/" + std::to_string(pid) + "/task";
  DIR* directory = open_proc_folder(threads);
  if (directory == nullptr && !means_gone(errno)) fail("open " + threads);
  if (directory == nullptr) return children;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') {
      add_children_of_thread(threads + "/" + entry->d_name + "/children", &children);
    }
  }
  ::closedir(directory);
  return children;
}

bool has_children() {
  siginfo_t about{};
  return ::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

std::vector<int> descendants_of(int pid) {
  std::vector<int> all = children_of(pid);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<int> below = children_of(all[i]);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace forkproof
