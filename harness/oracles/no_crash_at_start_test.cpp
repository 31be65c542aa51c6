#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_crash_at_start(const History& history);
namespace {

const WaitStatus segv = WaitStatus::killed_by(SIGSEGV), well = WaitStatus::exited_with(0);

Story spawned() {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(Spawned{task, supervisor, 0, "task-runner"});
  return story;
}
Ready task_is_ready() { return {task, 0, supervisor, task, supervisor}; }

TEST(NoCrashAtStart, HoldsWhenTheTaskCameUpHoweverItEnds) {
  Story story = spawned();
  story.then(task_is_ready()).exits(task, segv);
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held);
}

TEST(NoCrashAtStart, BreaksWhenItDiedOfItsOwnSignalBefore) {
  Story story = spawned();
  story.exits(task, segv);
  const Verdict verdict = no_crash_at_start(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, testing::HasSubstr("task-runner (pid 3) ended (SIGSEGV) 1.00 ms after"));
  EXPECT_EQ(verdict.evidence.size(), 2U);
}

TEST(NoCrashAtStart, BreaksWhenItGaveUpBefore) {
  Story story = spawned();
  story.exits(task, WaitStatus::exited_with(1));
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::broken);
}

TEST(NoCrashAtStart, WhoWasSignalledWasMeantToEnd) {
  for (const Pid target : {task, -task, -supervisor}) {
    Story story = spawned();
    story.then(Signalled{supervisor, target, SIGKILL, 0}).exits(task, WaitStatus::killed_by(SIGKILL));
    EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held) << target;
  }
}

TEST(NoCrashAtStart, ASignalAfterwardsIsNoExcuse) {
  Story story = spawned();
  story.exits(task, segv).then(Signalled{supervisor, task, SIGKILL, 0});
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::broken);
}

TEST(NoCrashAtStart, WhoOutlivedTheSupervisorHadNobodyToComeUpFor) {
  Story story = spawned();
  story.exits(supervisor, well).exits(task, WaitStatus::exited_with(1));
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held);
}

TEST(NoCrashAtStart, AHelpersDeathIsItsParentsMatter) {
  Story story = spawned();
  story.then(Spawned{helper, task, 1, "helper"}).exits(helper, segv).then(task_is_ready());
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held);
}

TEST(NoCrashAtStart, IsSkippedWhereNobodyWasStarted) {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::skipped);
}

TEST(NoCrashAtStart, IsUnknownWhenTheEndCouldNotBeSeen) {
  Story story = spawned();
  story.then(Exited{task, "task-runner", {}, false});
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
