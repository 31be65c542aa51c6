#include "harness/observe/census.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "harness/arena/sweep.h"
#include "harness/core/child_for_test.h"

namespace forkproof::observe {
namespace {

using namespace std::chrono_literals;

struct Pipe : forkproof::Pipe {
  void tell(pid_t pid) const { (void)!::write(writer.get(), &pid, sizeof pid); }
  [[nodiscard]] pid_t told() const {
    pid_t pid = 0;
    EXPECT_EQ(::read(reader.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    return pid;
  }
};

/// What this process has used of a processor.
Nanos cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec);
}

/// Forks and ends, and so does its child, for ever: no pid of it is there for long.
[[noreturn]] void hop() {
  for (;;) {
    if (::fork() > 0) ::_exit(0);
  }
}

/// This process is the root, a subreaper like the warden of the tier without namespaces.
class CensusTest : public testing::Test {
 protected:
  CensusTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~CensusTest() override { arena::kill_descendants(); }

  /// A child that runs `body`, which must tell its pid, or another's, when it is where it should be.
  pid_t child(const std::function<void()>& body) {
    if (::fork() == 0) {
      body();
      for (;;) ::pause();
    }
    return pipe_.told();
  }
  pid_t sleeper() {
    return child([&] { pipe_.tell(::getpid()); });
  }
  pid_t spinner() {
    const pid_t pid = child([&] {
      pipe_.tell(::getpid());
      for (;;) asm volatile("");
    });
    while (look_at(pid)->cpu_time == Nanos{}) continue;  // it does spin
    return pid;
  }
  CensusTaken take(Nanos patience = 20s) {
    arena::Warden warden;
    Census census(warden, false, ::getpid());
    CensusTaken taken;
    warden.call_at(Nanos{}, [&] {
      census.take("conclusion", patience, [&](CensusTaken result) {
        taken = std::move(result);
        warden.stop();
      });
    });
    warden.run();
    return taken;
  }

  Pipe pipe_;
};

MATCHER_P(IsPid, pid, "") { return arg.pid == pid; }

TEST_F(CensusTest, OfNobodyIsEmptyAndComplete) {
  const CensusTaken taken = take();
  EXPECT_EQ(taken.when, "conclusion");
  EXPECT_TRUE(taken.complete);
  EXPECT_TRUE(taken.processes.empty());
}

/// A directory without processes where /proc should be: nobody is listed, and wait() still tells of the child.
TEST_F(CensusTest, OfNobodyIsNotCompleteWhileThereIsAChild) {
  const pid_t other = ::fork();
  if (other == 0) {
    const bool hidden = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        ::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0;
    if (!hidden) ::_exit(77);
    const pid_t child = sleeper();
    const CensusTaken taken = take(100ms);
    ::kill(child, SIGKILL);
    ::_exit(taken.complete || !taken.processes.empty() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(other, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespace can be had here";
  EXPECT_EQ(status, 0) << "a census that saw nobody beside a living child was complete";
}

TEST_F(CensusTest, CountsTheSleeping) {
  const pid_t pid = sleeper();
  const CensusTaken taken = take();
  EXPECT_TRUE(taken.complete);
  ASSERT_THAT(taken.processes, testing::ElementsAre(IsPid(pid)));
  EXPECT_EQ(taken.processes[0].parent, ::getpid());
  EXPECT_FALSE(taken.processes[0].doomed);
}

TEST_F(CensusTest, SomebodyWhoIsAlwaysYoungerThanTheListingIsNotPassedOver) {
  for (int round = 0; round < 5; ++round) {
    child([&] {
      pipe_.tell(::getpid());
      hop();
    });
    const CensusTaken taken = take(50ms);
    EXPECT_TRUE(!taken.complete || !taken.processes.empty()) << "that nobody is left was said while it lived";
    arena::kill_descendants();
  }
}

TEST_F(CensusTest, DoesNotCountWhoWasJustKilled) {  // it may still show as running
  for (int round = 0; round < 20; ++round) {
    ::kill(sleeper(), SIGKILL);
    const CensusTaken taken = take();
    EXPECT_TRUE(taken.complete);
    EXPECT_TRUE(taken.processes.empty()) << taken.processes[0].state;
  }
}

TEST_F(CensusTest, DoesNotCountABusyOneThatWasJustKilled) {
  const pid_t pid = spinner();
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(take().processes.empty());
}

TEST_F(CensusTest, CountsTheBusy) {  // running, but not on its way out
  const pid_t pid = spinner();
  const CensusTaken taken = take();
  EXPECT_TRUE(taken.complete);
  ASSERT_THAT(taken.processes, testing::ElementsAre(IsPid(pid)));
  EXPECT_EQ(taken.processes[0].state, "R");
}

TEST_F(CensusTest, CountsTheStopped) {
  const pid_t pid = sleeper();
  ::kill(pid, SIGSTOP);
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED | WNOWAIT), 0);
  const CensusTaken taken = take();
  ASSERT_THAT(taken.processes, testing::ElementsAre(IsPid(pid)));
  EXPECT_EQ(taken.processes[0].state, "T");
}

TEST_F(CensusTest, DoesNotCountItsOwnZombies) {  // the warden reaps them in its next round
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t dead{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &dead, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(take().processes.empty());
}

TEST_F(CensusTest, CountsTheZombiesOfOthers) {
  const pid_t zombie = child([&] {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    siginfo_t dead{};
    ::waitid(P_PID, static_cast<id_t>(pid), &dead, WEXITED | WNOWAIT);
    pipe_.tell(pid);
  });
  const CensusTaken taken = take();
  EXPECT_TRUE(taken.complete);
  const auto found = std::find_if(taken.processes.begin(), taken.processes.end(), [&](const auto& e) { return e.pid == zombie; });
  ASSERT_NE(found, taken.processes.end());
  EXPECT_EQ(found->state, "Z");
  EXPECT_NE(found->parent, ::getpid());
}

TEST_F(CensusTest, AZombieWhoseParentRunsForItIsGivenTheTimeThatReapingTakes) {
  const pid_t zombie = child([&] {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    siginfo_t dead{};
    ::waitid(P_PID, static_cast<id_t>(pid), &dead, WEXITED | WNOWAIT);
    pipe_.tell(pid);
    for (const Nanos until = cpu_time() + 5ms; cpu_time() < until;) continue;
    ::waitpid(pid, nullptr, 0);
  });
  const CensusTaken taken = take();
  EXPECT_TRUE(taken.complete);
  EXPECT_THAT(taken.processes, testing::Not(testing::Contains(IsPid(zombie))));
}

TEST_F(CensusTest, CountsTheWholeTree) {
  const pid_t below = child([&] {
    if (::fork() == 0) pipe_.tell(::getpid());
  });
  const CensusTaken taken = take();
  EXPECT_EQ(taken.processes.size(), 2U);
  EXPECT_THAT(taken.processes, testing::Contains(IsPid(below)));
}

TEST_F(CensusTest, CanBeTakenAgain) {
  const pid_t pid = sleeper();
  EXPECT_EQ(take().processes.size(), 1U);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(take().processes.size(), 0U);
}

TEST_F(CensusTest, IsIncompleteWhenItsPatienceIsOverTooSoon) {
  const pid_t pid = spinner();
  const CensusTaken taken = take(0s);  // not the 20 ms that it takes to tell the busy from the dying
  EXPECT_FALSE(taken.complete);
  EXPECT_THAT(taken.processes, testing::ElementsAre(IsPid(pid)));
}

TEST_F(CensusTest, CountsAProcessWhoseMainThreadHasEnded) {  // /proc shows it as a zombie
  const pid_t pid = child([&] {
    pthread_t other;
    ::pthread_create(&other, nullptr, [](void* pipe) -> void* {
      while (::access("/proc/self/exe", F_OK) == 0) continue;  // the main thread's memory is gone: it has ended
      static_cast<Pipe*>(pipe)->tell(::getpid());
      for (;;) ::pause();
    }, &pipe_);
    ::syscall(SYS_exit, 0);  // this thread alone; pthread_exit would unwind into gtest
  });
  EXPECT_THAT(take().processes, testing::ElementsAre(IsPid(pid)));
}

}  // namespace
}  // namespace forkproof::observe
