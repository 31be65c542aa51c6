#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict exit_status_faithful(const History& history);
namespace {

using testing::HasSubstr;

const WaitStatus well = WaitStatus::exited_with(0), killed = WaitStatus::killed_by(9);

/// The kernel has one status of the task, the supervisor took another.
Verdict kernel_and_supervisor(WaitStatus kernel, WaitStatus took) {
  Story story(small_case());
  story.start().exits(task, kernel).then(Reaped{supervisor, task, took, false});
  return exit_status_faithful(story.whole());
}

TEST(ExitStatusFaithful, HoldsForTheSameEnd) {
  EXPECT_EQ(kernel_and_supervisor(well, well).outcome, Outcome::held);
  EXPECT_EQ(kernel_and_supervisor(killed, killed).because, "SIGKILL, as the kernel has it");
  EXPECT_EQ(kernel_and_supervisor(WaitStatus(6 | 0x80), WaitStatus(6)).outcome, Outcome::held) << "a core is no other end";
}

TEST(ExitStatusFaithful, BreaksForAnotherEnd) {
  const Verdict verdict = kernel_and_supervisor(well, WaitStatus::exited_with(1));
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "the supervisor took exit 1, the kernel has exit 0");
  EXPECT_EQ(verdict.evidence.size(), 2U);
  EXPECT_EQ(kernel_and_supervisor(killed, WaitStatus::exited_with(9)).outcome, Outcome::broken);
}

TEST(ExitStatusFaithful, BreaksWhenTheTaskHadVanished) {  // SIGCHLD ignored: ECHILD
  Story story(small_case());
  story.start().exits(task, well).then(Reaped{supervisor, task, {}, true});
  const Verdict verdict = exit_status_faithful(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("vanished for the supervisor (ECHILD), while the kernel has exit 0"));
}

TEST(ExitStatusFaithful, OnlyWhatTheSupervisorTookOfItsTaskCounts) {
  Story story(small_case());
  story.start().exits(helper, killed).then(Reaped{supervisor, helper, well, false});
  story.exits(task, killed).then(Reaped{warden_pid, task, killed, false});
  EXPECT_EQ(exit_status_faithful(story.whole()).outcome, Outcome::skipped);
}

TEST(ExitStatusFaithful, IsUnknownWhenTheKernelDidNotTell) {
  Story story(small_case());
  story.start().then(Exited{task, "task-runner", {}, false}).then(Reaped{supervisor, task, {}, false});
  EXPECT_EQ(exit_status_faithful(story.whole()).outcome, Outcome::unknown);
  Story unseen(small_case());
  unseen.start().then(Reaped{supervisor, task, well, false});
  EXPECT_EQ(exit_status_faithful(unseen.whole()).outcome, Outcome::unknown);
}

TEST(ExitStatusFaithful, IsSkippedWithoutATask) {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  EXPECT_EQ(exit_status_faithful(story.whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
