#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict orphan_ends(const History& history);
Verdict no_orphans(const History& history);
Verdict teardown_bounded(const History& history);
Verdict state_reported(const History& history);
Verdict no_stuck_process(const History& history);
namespace {

using testing::HasSubstr;

/// The supervisor is killed by the rig, and the orphan sent SIGINT.
Story killed() {
  Story story(small_case());
  story.start().then(Signalled{warden_pid, supervisor, 9, 0}).exits(supervisor, WaitStatus::killed_by(9));
  story.then(Reparented{task, supervisor, warden_pid, false}).then(Signalled{warden_pid, task, 2, 0});
  return story;
}
const SignalWithoutEffect ignored{task, "task-runner", 2, "ignored", true, "it ignores SIGINT (SigIgn 0x2)"};

TEST(OrphanEnds, HoldsWhenItEndsAfterTheSignal) {
  EXPECT_EQ(orphan_ends(killed().exits(task, WaitStatus::killed_by(2)).whole()).outcome, Outcome::held);
}

TEST(OrphanEnds, BreaksWhenTheKernelShowsThatItStays) {
  const Verdict verdict = orphan_ends(killed().then(ignored).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("provably does not end by SIGINT (ignored)"));
  EXPECT_EQ(verdict.evidence.size(), 2U);
}

TEST(OrphanEnds, SaysSoWhenItWasOnlyWaitedFor) {
  SignalWithoutEffect late = ignored;
  late.how = "deadline", late.proved = false;
  EXPECT_THAT(orphan_ends(killed().then(late).whole()).because, HasSubstr("not proved: waited for"));
}

TEST(OrphanEnds, IsUnknownWithNeither) {
  EXPECT_EQ(orphan_ends(killed().whole()).outcome, Outcome::unknown);
}

TEST(OrphanEnds, AnEndBeforeTheSignalIsNoAnswer) {
  Story story(small_case());
  story.start().exits(task, WaitStatus::exited_with(0)).then(Signalled{warden_pid, task, 2, 0});
  EXPECT_EQ(orphan_ends(story.whole()).outcome, Outcome::unknown);
}

TEST(OrphanEnds, IsSkippedWhereNobodySentOne) {
  Story story(small_case());
  EXPECT_EQ(orphan_ends(story.start().then(Signalled{supervisor, task, 2, 0}).whole()).outcome,
            Outcome::skipped);
}

TEST(KilledFromOutside, ASupervisorThatTheRigKilledIsNotBlamed) {
  const History history =
      killed().census({{task, warden_pid, task, task, "S", false, "task-runner"}}).whole();
  EXPECT_EQ(no_orphans(history).outcome, Outcome::skipped);
  EXPECT_EQ(teardown_bounded(history).outcome, Outcome::skipped);
  EXPECT_EQ(state_reported(history).outcome, Outcome::skipped);
  EXPECT_EQ(no_stuck_process(history).outcome, Outcome::skipped);
}

TEST(KilledFromOutside, SigtermOrAFailedSignalIsNoExcuse) {
  for (const Signalled& sent :
       {Signalled{warden_pid, supervisor, 15, 0}, Signalled{warden_pid, supervisor, 9, 3}}) {
    Story story(small_case());
    story.start().then(sent).exits(supervisor, WaitStatus::killed_by(sent.signal));
    story.census({{task, warden_pid, task, task, "S", false, "task-runner"}});
    EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::broken);
  }
}

}  // namespace
}  // namespace forkproof::oracles
