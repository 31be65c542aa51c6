#include "harness/core/proc_root.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace forkproof {
namespace {

/// What `body` returns in a child with a mount namespace of its own; 77 where that cannot be had.
int in_own_mounts(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool own = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    ::_exit(own ? body() : 77);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

bool hide_proc() { return ::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0; }

bool sees_itself() {
  struct stat about {};
  std::string name;
  ProcText("/proc/self/comm") >> name;
  DIR* all = open_proc_folder("/proc");
  bool listed = false;
  while (const dirent* entry = all != nullptr ? ::readdir(all) : nullptr) listed |= entry->d_name == std::to_string(::getpid());
  if (all != nullptr) ::closedir(all);
  return listed && !name.empty() && !proc_link("/proc/self/exe").empty() && open_proc("/proc/self/stat").open() &&
         stat_proc("/proc/self", &about) == 0;
}

TEST(ProcRoot, IsThePathUntilItIsPinned) { EXPECT_TRUE(sees_itself()); }

TEST(ProcRoot, SeesProcessesThoughSomethingIsMountedOverIt) {
  const int seen = in_own_mounts([] {
    pin_proc();
    return hide_proc() && sees_itself() ? 0 : 1;
  });
  if (seen == 77) GTEST_SKIP() << "no mount namespace can be had here";
  EXPECT_EQ(seen, 0);
}

TEST(ProcRoot, UnpinnedItIsFooled) {
  const int seen = in_own_mounts([] { return hide_proc() && !sees_itself() ? 0 : 1; });
  if (seen == 77) GTEST_SKIP() << "no mount namespace can be had here";
  EXPECT_EQ(seen, 0);
}

TEST(ProcRoot, OfAForkedChildIsThePath) {
  const int seen = in_own_mounts([] {
    pin_proc();
    if (!hide_proc()) return 1;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(sees_itself() ? 1 : 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0 ? 0 : 1;
  });
  if (seen == 77) GTEST_SKIP() << "no mount namespace can be had here";
  EXPECT_EQ(seen, 0);
}

}  // namespace
}  // namespace forkproof
