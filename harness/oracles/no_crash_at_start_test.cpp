#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_crash_at_start(const History& history);
namespace {

const WaitStatus segv = WaitStatus::killed_by(SIGSEGV), well = WaitStatus::exited_with(0);

Story spawned(TaskGroup group = TaskGroup::set_by_both) {
  Case one = small_case();
  std::get<ModelSupervisor>(one.subject).profile.task_group = group;
  Story story(one);
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
  for (const Pid target : {task, -task}) {
    Story story = spawned();
    story.then(Signalled{supervisor, target, SIGKILL, 0}).exits(task, WaitStatus::killed_by(SIGKILL));
    EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held) << target;
  }
}

TEST(NoCrashAtStart, TheSupervisorsGroupCountsForThoseThatMayBeInIt) {
  const auto after_its_signal = [](TaskGroup group) {
    Story story = spawned(group);
    story.then(Signalled{warden_pid, -supervisor, SIGTERM, 0}).exits(task, WaitStatus::killed_by(SIGTERM));
    return no_crash_at_start(story.whole()).outcome;
  };
  EXPECT_EQ(after_its_signal(TaskGroup::shared), Outcome::held);
  EXPECT_EQ(after_its_signal(TaskGroup::session_in_child), Outcome::held);
  EXPECT_EQ(after_its_signal(TaskGroup::set_by_both), Outcome::broken);
}

TEST(NoCrashAtStart, ASignalToAnotherGroupIsNoExcuse) {
  Story story = spawned(TaskGroup::shared);
  story.then(Signalled{supervisor, -999, SIGKILL, 0}).exits(task, segv);
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::broken);
}

TEST(NoCrashAtStart, ASignalThatWasNotSentIsNoExcuse) {
  for (const Pid target : {task, -task}) {
    Story story = spawned();
    story.then(Signalled{supervisor, target, SIGKILL, 0}).then(Signalled{supervisor, target, SIGKILL, ESRCH}).exits(task, segv);
    const Verdict verdict = no_crash_at_start(story.whole());
    EXPECT_EQ(verdict.outcome, Outcome::broken) << target;
    EXPECT_THAT(verdict.because, testing::HasSubstr("no signal had reached it"));
    EXPECT_EQ(verdict.evidence.size(), 3U) << "and that it failed shows it";
  }
}

TEST(NoCrashAtStart, ASignalThatFailedOnceAndThenArrivedIsAnExcuse) {
  Story story = spawned();
  story.then(Signalled{supervisor, -task, SIGKILL, 0}).then(Signalled{supervisor, -task, SIGKILL, ESRCH});
  story.then(Signalled{supervisor, -task, SIGKILL, 0}).exits(task, WaitStatus::killed_by(SIGKILL));
  EXPECT_EQ(no_crash_at_start(story.whole()).outcome, Outcome::held);
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

TEST(NoCrashAtStart, IsUnknownWhenNobodySawWhatBecameOfAChild) {
  Story story = spawned();
  story.exits(supervisor, well).census();
  const Verdict verdict = no_crash_at_start(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::unknown);
  EXPECT_THAT(verdict.because, testing::HasSubstr("task-runner (pid 3), that was never up"));
}

TEST(NoCrashAtStart, WhoIsStillThereDidNotCrash) {
  Story in_census = spawned(), is_stuck = spawned();
  in_census.exits(supervisor, well).census({{task, supervisor, task, task, "S", false, "forkproof-task"}});
  EXPECT_EQ(no_crash_at_start(in_census.whole()).outcome, Outcome::held);
  is_stuck.then(Stuck{task, "task-runner", "deadlock", true, 1ms, "nobody is left to wake it"}).exits(supervisor, well).census();
  EXPECT_EQ(no_crash_at_start(is_stuck.whole()).outcome, Outcome::held);
}

}  // namespace
}  // namespace forkproof::oracles
