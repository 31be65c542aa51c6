#include "harness/observe/why.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "harness/arena/sweep.h"
#include "harness/core/child_for_test.h"
#include "harness/core/children.h"
#include "harness/core/explanation.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// This process is the root, a subreaper like the warden of the tier without namespaces.
class Why : public testing::Test {
 protected:
  Why() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Why() override { arena::kill_descendants(); }

  /// A child that runs `body` and then sleeps in pause().
  static pid_t child(const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    body();
    for (;;) ::pause();
  }
  /// Until the process is blocked in this call; the test's own time limit is the bound.
  static void wait_until_in(pid_t pid, long call) {
    for (Thread thread; !main_thread(pid, &thread) || !thread.blocked || thread.number != call;) ::sched_yield();
  }
  static pid_t told_by(const Pipe& pipe) {
    pid_t pid = 0;
    EXPECT_EQ(::read(pipe.reader.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    return pid;
  }
  static void tell(const Pipe& pipe, pid_t pid) { (void)!::write(pipe.writer.get(), &pid, sizeof pid); }

  Explanation explain_one(pid_t pid) {
    const Explained all = explain("conclusion", {pid}, known_, false, ::getpid());
    EXPECT_EQ(all.processes.size(), 1U);
    return all.processes.front();
  }
  Acquaintances known_;
};

TEST_F(Why, AnOrphanOfAKilledParentIsAChildOfPid1AndItsStarterIsNamed) {
  Pipe pipe;
  const pid_t parent = child([&] { tell(pipe, child([] { ::setsid(); })); });
  const pid_t orphan = told_by(pipe);
  known_[orphan] = {parent, "helper"}, known_[parent] = {::getpid(), "task"};
  wait_until_in(orphan, SYS_pause);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  const Explanation one = explain_one(orphan);
  EXPECT_EQ(one.starter, parent);
  EXPECT_EQ(one.starter_name, "task " + std::to_string(parent));
  EXPECT_TRUE(one.starter_gone);
  EXPECT_EQ(one.parent, ::getpid());
  EXPECT_EQ(one.parent_name, "PID 1");
  EXPECT_EQ(one.session, orphan);
  EXPECT_FALSE(one.cycle);
  EXPECT_THAT(sentences_of(one), Contains(AllOf(HasSubstr("started by task"), HasSubstr("which has ended"), HasSubstr("child of PID 1"))));
}

TEST_F(Why, AProcessWhoseStarterLivesIsNoOrphan) {
  const pid_t pid = child([] {});
  wait_until_in(pid, SYS_pause);
  known_[pid] = {::getpid(), "helper"};
  const Explanation one = explain_one(pid);
  EXPECT_FALSE(one.starter_gone);
  EXPECT_THAT(sentences_of(one).front(), Not(HasSubstr("is now a child of")));
}

TEST_F(Why, OfOneThatNobodySawStartedTheStarterIsUnknown) {
  Pipe pipe;
  const pid_t parent = child([&] { tell(pipe, child([] {})); });
  const pid_t orphan = told_by(pipe);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_EQ(explain_one(orphan).starter, 0);
  EXPECT_THAT(sentences_of(explain_one(orphan)).front(), HasSubstr("nobody saw"));
}

TEST_F(Why, AReaderThatWaitsForEofIsFollowedToTheGrandchildThatKeepsThePipe) {
  Pipe told, output(0);
  const pid_t reader = child([&] {
    output.writer.reset();
    char byte = 0;
    (void)!::read(output.reader.get(), &byte, 1);
  });
  const pid_t parent = child([&] {
    output.reader.reset();
    tell(told, child([] {}));
    output.writer.reset();
  });
  const pid_t grandchild = told_by(told);
  output.reader.reset(), output.writer.reset();
  known_[grandchild] = {parent, "grandchild"}, known_[reader] = {::getpid(), "reader"}, known_[parent] = {::getpid(), "parent"};
  wait_until_in(reader, SYS_read), wait_until_in(grandchild, SYS_pause), wait_until_in(parent, SYS_pause);

  const Explanation waiting = explain_one(reader);
  const std::string name = "grandchild " + std::to_string(grandchild);
  EXPECT_THAT(waiting.stuck_in, HasSubstr("sleeps in read on fd"));
  EXPECT_THAT(waiting.chain, ElementsAre(AllOf(HasSubstr("waits for input or the end of pipe:["), HasSubstr("which " + name + " can write to")),
                                         HasSubstr(name + " sleeps in pause")));
  EXPECT_FALSE(waiting.cycle);

  const Explanation holding = explain_one(grandchild);
  ASSERT_EQ(holding.holds.size(), 1U);
  EXPECT_THAT(holding.holds.front(), HasSubstr("inherited from parent " + std::to_string(parent) + ", which has closed its own, not close-on-exec"));
  EXPECT_THAT(holding.holds.front(), HasSubstr("reader " + std::to_string(reader) + " waits for its end"));
}

TEST_F(Why, WhatAnAncestorHoldsTooIsInheritedFromIt) {
  Pipe told, output(0);
  const pid_t reader = child([&] {
    output.writer.reset();
    char byte = 0;
    (void)!::read(output.reader.get(), &byte, 1);
  });
  const pid_t parent = child([&] { tell(told, child([] {})); });
  const pid_t helper = told_by(told);
  const int fd = output.writer.get();
  output.writer.reset();
  wait_until_in(reader, SYS_read), wait_until_in(helper, SYS_pause);
  known_[helper] = {parent, "helper"}, known_[parent] = {::getpid(), "parent"};
  const Explanation one = explain_one(helper);
  const std::string parent_name = "parent " + std::to_string(parent);
  EXPECT_THAT(one.holds, Contains(AllOf(HasSubstr("as fd " + std::to_string(fd) + ", inherited from " + parent_name + ","),
                                        HasSubstr("so does " + parent_name))));
}

TEST_F(Why, WhatNobodyWaitsForIsNotHeldUp) {
  Pipe output(0);
  const pid_t helper = child([&] {});
  wait_until_in(helper, SYS_pause);
  EXPECT_THAT(explain_one(helper).holds, IsEmpty());
}

TEST_F(Why, TwoThatWaitForEachOtherAreACycle) {
  Pipe there, back;
  const auto wait_for = [](const Pipe& pipe) {
    char byte = 0;
    (void)!::read(pipe.reader.get(), &byte, 1);
  };
  // Each holds the write end that the other waits on, and only that.
  const pid_t left = child([&] { there.reader.reset(), back.writer.reset(), wait_for(back); });
  const pid_t right = child([&] { back.reader.reset(), there.writer.reset(), wait_for(there); });
  there = Pipe(), back = Pipe();
  wait_until_in(left, SYS_read), wait_until_in(right, SYS_read);
  known_[left] = {::getpid(), "left"}, known_[right] = {::getpid(), "right"};
  const Explanation one = explain_one(left);
  EXPECT_TRUE(one.cycle);
  EXPECT_THAT(one.chain, ElementsAre(HasSubstr("which right " + std::to_string(right) + " can write to"),
                                     HasSubstr("which left " + std::to_string(left) + " can write to"), HasSubstr("that is a cycle")));
}

TEST_F(Why, AChildThatReadsFromTheParentThatWaitsForItIsACycle) {
  Pipe pipe, told;
  const pid_t parent = child([&] {
    const pid_t inner = child([&] {
      pipe.writer.reset();
      char byte = 0;
      (void)!::read(pipe.reader.get(), &byte, 1);
    });
    tell(told, inner);
    ::waitpid(inner, nullptr, 0);
  });
  const pid_t inner = told_by(told);
  pipe = Pipe();
  wait_until_in(parent, SYS_wait4), wait_until_in(inner, SYS_read);
  const Explanation one = explain_one(parent);
  EXPECT_TRUE(one.cycle);
  EXPECT_THAT(one.chain.front(), HasSubstr("waits for the end of "));
}

TEST_F(Why, AStoppedProcessIsSaidToBe) {
  const pid_t pid = child([] { ::raise(SIGSTOP); });
  while (look_at(pid)->entry.state != "T") ::sched_yield();
  const Explanation one = explain_one(pid);
  EXPECT_THAT(one.stuck_in, HasSubstr("stopped by a signal: nothing but SIGCONT and SIGKILL"));
  EXPECT_THAT(one.chain, ElementsAre(one.stuck_in));
}

TEST_F(Why, SignalsStandByName) {
  const pid_t pid = child([] {
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, [](int) {});
    sigset_t blocked;
    sigemptyset(&blocked), sigaddset(&blocked, SIGUSR1);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    ::raise(SIGUSR1);
  });
  wait_until_in(pid, SYS_pause);
  const Explanation one = explain_one(pid);
  EXPECT_THAT(one.ignored, HasSubstr("SIGINT"));
  EXPECT_THAT(one.caught, HasSubstr("SIGTERM"));
  EXPECT_EQ(one.blocked, "SIGUSR1");
  EXPECT_EQ(one.pending, "SIGUSR1");
  EXPECT_THAT(sentences_of(one), Contains(HasSubstr("has SIGUSR1 pending")));
}

TEST_F(Why, OneThatHasEndedIsGone) {
  const pid_t pid = child([] { ::_exit(0); });
  ::waitpid(pid, nullptr, 0);
  const Explanation one = explain_one(pid);
  EXPECT_EQ(one.state, "gone");
  EXPECT_THAT(sentences_of(one), ElementsAre("had ended when it was looked at"));
}

TEST_F(Why, OnlySoManyAreExplainedAndTheOthersCounted) {
  std::vector<Pid> pids;
  for (std::size_t i = 0; i < most_explained + 3; ++i) pids.push_back(child([] {}));
  const Explained all = explain("deadline", pids, known_, false, ::getpid());
  EXPECT_EQ(all.processes.size(), most_explained);
  EXPECT_EQ(all.more, 3U);
}

/// With 1,000 processes, in the time of some bare walks over their descriptors in this very run; a machine that is twice as
/// slow is so for both.
TEST_F(Why, AThousandProcessesCostNoMoreThanAFewWalks) {
  constexpr int crowd = 999;
  Pipe output(0);
  std::vector<Pid> pids;
  for (int i = 0; i < crowd; ++i) pids.push_back(child([] {}));
  // All of them hold the pipe for whose end this one waits.
  const pid_t reader = child([&] {
    output.writer.reset();
    char byte = 0;
    (void)!::read(output.reader.get(), &byte, 1);
  });
  for (const Pid pid : pids) wait_until_in(pid, SYS_pause);
  wait_until_in(reader, SYS_read);
  ASSERT_THAT(explain_one(pids.back()).holds, Contains(HasSubstr("waits for its end")));
  const auto walked = [&] {
    const Nanos began = monotonic_now();
    for (const Pid pid : everybody(false, ::getpid())) {
      look_at(pid);
      for (int fd = 0; fd < 5; ++fd) {
        char target[64];
        (void)!::readlink(("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
      }
    }
    return monotonic_now() - began;
  };
  Nanos walk = Nanos::max(), took = Nanos::max();
  for (int round = 0; round < 5; ++round) {
    walk = std::min(walk, walked());
    took = std::min(took, explain("conclusion", pids, known_, false, ::getpid()).took);
  }
  RecordProperty("walk_us", static_cast<int>(walk.count() / 1000));
  RecordProperty("took_us", static_cast<int>(took.count() / 1000));
  EXPECT_LT(took, walk * 4);
}

}  // namespace
}  // namespace forkproof::observe
