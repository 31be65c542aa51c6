#include "harness/observe/proc.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "harness/core/child_for_test.h"
#include "harness/core/error.h"
#include "harness/observe/quiet.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

using testing::Contains;
using testing::Not;

/// A child and its pidfd.
class Child : public forkproof::Child {
 public:
  explicit Child(const std::function<int()>& body) : forkproof::Child(body), pidfd_(open_pidfd(pid())) {}
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// Dead, and still a zombie.
  void wait_until_dead() const {
    siginfo_t dead{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid()), &dead, WEXITED | WNOWAIT), 0);
  }
  void reap() const { EXPECT_EQ(::waitpid(pid(), nullptr, 0), pid()); }

 private:
  Fd pidfd_;
};

int sleep_for_ever() {
  for (;;) ::pause();
}

/// Blocks until a look at the process has this state.
void wait_for_state(pid_t pid, const std::string& state) {
  for (;;) {
    const auto look = look_at(pid);
    ASSERT_TRUE(look) << "it has gone";
    if (look->entry.state == state) return;
  }
}

TEST(ExitStatus, IsReadFromTheZombie) {
  const Child child([] { return 3; });
  child.wait_until_dead();
  EXPECT_EQ(exit_status(child.pid(), child.pidfd()), WaitStatus::exited_with(3));
}

TEST(ExitStatus, OfAKillIsTheSignal) {
  const Child child(sleep_for_ever);
  ::kill(child.pid(), SIGKILL);
  child.wait_until_dead();
  EXPECT_EQ(exit_status(child.pid(), child.pidfd()), WaitStatus::killed_by(SIGKILL));
}

TEST(ExitStatus, IsReadFromThePidfdWhenSomebodyHasReapedIt) {
  const Child child([] { return 5; });
  child.reap();
  const auto status = exit_status(child.pid(), child.pidfd());
  if (!status) GTEST_SKIP() << "this kernel keeps no exit status of a reaped process (PIDFD_INFO_EXIT, Linux 6.15)";
  EXPECT_EQ(*status, WaitStatus::exited_with(5));
}

TEST(ExitStatus, IsReadFromThePidfdWhenTheKernelItselfHasReapedIt) {  // SIGCHLD ignored
  ::signal(SIGCHLD, SIG_IGN);
  const Child child(sleep_for_ever);
  ::kill(child.pid(), SIGKILL);
  pollfd gone{child.pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&gone, 1, -1), 1);
  EXPECT_EQ(::waitpid(child.pid(), nullptr, 0), -1);  // blocks until it is gone
  const auto status = exit_status(child.pid(), child.pidfd());
  ::signal(SIGCHLD, SIG_DFL);
  if (!status) GTEST_SKIP() << "this kernel keeps no exit status of a reaped process (PIDFD_INFO_EXIT, Linux 6.15)";
  EXPECT_EQ(*status, WaitStatus::killed_by(SIGKILL));
}

TEST(ExitStatus, OfTheLivingIsNone) {
  const Child child(sleep_for_ever);
  EXPECT_EQ(exit_status(child.pid(), child.pidfd()), std::nullopt);
}

TEST(ExitStatus, WithoutAPidfdTheReapedHaveNone) {
  const Child child([] { return 5; });
  child.reap();
  EXPECT_EQ(exit_status(child.pid(), -1), std::nullopt);
}

TEST(LookAt, SaysWhoItIsAndWhatItDoes) {
  const Child child([] {
    ::setsid();
    ::prctl(PR_SET_NAME, "a) S 1 (b");  // a name that looks like the fields after it
    return sleep_for_ever();
  });
  wait_for_state(child.pid(), "S");
  const auto look = look_at(child.pid());
  ASSERT_TRUE(look);
  EXPECT_EQ(look->entry.pid, child.pid());
  EXPECT_EQ(look->entry.parent, ::getpid());
  EXPECT_EQ(look->entry.group, child.pid());
  EXPECT_EQ(look->entry.session, child.pid());
  EXPECT_EQ(look->entry.name, "a) S 1 (b");
  EXPECT_FALSE(look->entry.doomed);
}

TEST(LookAt, AZombieIsDoomedAndHasItsStatus) {
  const Child child([] { return 7; });
  child.wait_until_dead();
  const auto look = look_at(child.pid());
  ASSERT_TRUE(look);
  EXPECT_EQ(look->entry.state, "Z");
  EXPECT_TRUE(look->entry.doomed);
  EXPECT_EQ(WaitStatus(look->exit_status), WaitStatus::exited_with(7));
}

TEST(LookAt, TheKilledAreDoomedFromThatMomentOn) {  // dying takes a while, and the process shows as running
  for (int round = 0; round < 50; ++round) {
    const Child child(sleep_for_ever);
    ::kill(child.pid(), SIGKILL);
    const auto look = look_at(child.pid());
    ASSERT_TRUE(look) << "nobody has reaped it";
    EXPECT_TRUE(look->entry.doomed) << look->entry.state;
  }
}

bool writes_core(pid_t pid) { return status_field(pid, "CoreDumping") == "1"; }

// A core of 64 MB takes a while, in a folder that is removed. Where cores go elsewhere, there they would stay.
TEST(LookAt, WhoseCoreIsBeingWrittenIsDoomed) {
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.find_first_of("|@/") != std::string::npos || pattern.empty()) GTEST_SKIP() << "core_pattern is " << pattern;
  const std::string folder = testing::TempDir() + "forkproof-core-" + std::to_string(::getpid());
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  bool seen = false;
  {
    const Child child([&] {
      rlimit most{};
      ::getrlimit(RLIMIT_CORE, &most);
      most.rlim_cur = most.rlim_max;
      const std::string memory(64 << 20, 'x');
      return ::chdir(folder.c_str()) == 0 && ::setrlimit(RLIMIT_CORE, &most) == 0 ? (::abort(), 0) : 1;
    });
    for (auto look = look_at(child.pid()); look && look->entry.state != "Z"; look = look_at(child.pid())) {
      if (!writes_core(child.pid())) continue;
      seen = true;
      EXPECT_TRUE(look_at(child.pid())->entry.doomed);
      break;
    }
  }
  std::filesystem::remove_all(folder);
  if (!seen) GTEST_SKIP() << "no core is written here";
}

TEST(LookAt, CountsProcessorTime) {
  const Child child([]() -> int {
    for (;;) asm volatile("");
  });
  const Nanos first = look_at(child.pid())->cpu_time;
  Nanos now = first;
  while (now == first) now = look_at(child.pid())->cpu_time;
  EXPECT_GT(now, first);
}

TEST(LookAt, TheReapedAreGone) {
  const Child child([] { return 0; });
  child.reap();
  EXPECT_EQ(look_at(child.pid()), std::nullopt);
  EXPECT_EQ(parent_of(child.pid()), 0);
  EXPECT_FALSE(open_pidfd(child.pid()));
}

TEST(ParentOf, IsWhoForkedIt) {
  const Child child(sleep_for_ever);
  EXPECT_EQ(parent_of(child.pid()), ::getpid());
  EXPECT_EQ(parent_of(::getpid()), ::getppid());
}

TEST(Everybody, WithoutANamespaceIsWhoIsBelow) {
  const Child child(sleep_for_ever);
  EXPECT_THAT(everybody(false, ::getpid()), Contains(child.pid()));
  EXPECT_THAT(everybody(false, ::getpid()), Not(Contains(::getpid())));
  EXPECT_THAT(everybody(false, child.pid()), testing::IsEmpty());
}

TEST(Everybody, InANamespaceIsAllOfProcButTheRoot) {
  const Child child(sleep_for_ever);
  const auto all = everybody(true, ::getpid());
  EXPECT_THAT(all, Contains(child.pid()));
  EXPECT_THAT(all, Contains(::getppid()));
  EXPECT_THAT(all, Not(Contains(::getpid())));
}

/// True when it throws HarnessFailure where no descriptor is to be had.
bool fails_without_descriptors(const std::function<void()>& look) {
  Child child([&look] {
    const rlimit none{3, 3};
    ::setrlimit(RLIMIT_NOFILE, &none);
    for (int fd = 0; fd < 3; ++fd) ::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY);
    try {
      look();
    } catch (const HarnessFailure&) {
      return 42;
    }
    return 0;
  });
  child.wait_until_dead();
  return WaitStatus(look_at(child.pid())->exit_status).code() == 42;
}

TEST(Proc, NobodyIsGoneForWantOfADescriptor) {
#ifdef __SANITIZE_ADDRESS__  // comes with UBSan here, which needs a descriptor itself to look at an exception's type
  GTEST_SKIP() << "not under sanitizers";
#endif
  EXPECT_TRUE(fails_without_descriptors([] { look_at(::getpid()); }));
  EXPECT_TRUE(fails_without_descriptors([] { everybody(true, 0); }));
  EXPECT_TRUE(fails_without_descriptors([] { everybody(false, ::getpid()); }));
  EXPECT_TRUE(fails_without_descriptors([] { Quiet(true, 0, {}).look(); }));
}

}  // namespace
}  // namespace forkproof::observe
