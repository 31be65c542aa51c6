#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_orphans(const History& history);
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const WaitStatus well = WaitStatus::exited_with(0), killed = WaitStatus::killed_by(9);

CensusEntry alive(Pid pid, Pid parent) { return {pid, parent, pid, pid, "S", false, "x"}; }

TEST(NoOrphans, HoldsWhenNobodyIsLeft) {
  Story story(small_case());
  story.start().asked().exits(helper, killed).exits(task, killed).exits(supervisor, well).census();
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, BreaksWhenSomebodyLivesOnAndTellsHowItCameToBe) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, warden_pid, false});
  story.exits(supervisor, well).census({alive(helper, warden_pid)});
  const History history = story.whole();
  const Verdict verdict = no_orphans(history);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "helper (pid 4) lives on after the supervisor's end; its parent task-runner (pid 3) died "
                             "and PID 1 inherited it");
  // That it was spawned, that it was re-parented, that the supervisor ended, that it is still there.
  ASSERT_EQ(verdict.evidence.size(), 4U);
  EXPECT_EQ(history[verdict.evidence[0]].as<Spawned>()->pid, helper);
  EXPECT_EQ(history[verdict.evidence[1]].as<Reparented>()->pid, helper);
  EXPECT_EQ(history[verdict.evidence[2]].as<Exited>()->pid, supervisor);
  EXPECT_NE(history[verdict.evidence[3]].as<CensusTaken>(), nullptr);
}

TEST(NoOrphans, CountsTheOthers) {
  Story story(small_case());
  story.start().asked().exits(supervisor, well).census({alive(task, 1), alive(helper, task), alive(77, task)});
  EXPECT_THAT(no_orphans(story.whole()).because, testing::EndsWith("; and 2 more"));
}

TEST(NoOrphans, AStrangerCountsAsWell) {  // something that never told its name, say a double fork
  Story story(small_case());
  story.start().asked().exits(supervisor, well).census({alive(77, warden_pid)});
  EXPECT_THAT(no_orphans(story.whole()).because, HasSubstr("x (pid 77) lives on"));
}

TEST(NoOrphans, TheDeadAreNoOrphans) {
  Story story(small_case());
  CensusEntry zombie = alive(helper, task);
  zombie.state = "Z";
  story.start().asked().exits(supervisor, well).census({zombie});
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, BreaksWhenTheOrphanOutlivedTheBoundThoughItEnded) {  // airflow before #51180
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, warden_pid, false});
  story.after(500ms, Exited{helper, "helper", well, true}).exits(supervisor, well).census();
  const Verdict verdict = no_orphans(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("lived on for 500 ms as an orphan"));
}

TEST(NoOrphans, AnOrphanThatEndsWithinTheBoundIsNone) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, warden_pid, false});
  story.after(50ms, Exited{helper, "helper", well, true}).exits(supervisor, well).census();
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, WhatTheMachineLostIsNotHeldAgainstIt) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, warden_pid, false});
  story.after(450ms, MachineLate{450ms}).after(50ms, Exited{helper, "helper", well, true});
  story.exits(supervisor, well).census();
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, ReParentedWithItsDeathPendingIsNoOrphan) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, warden_pid, true});
  story.after(500ms, Exited{helper, "helper", killed, true}).exits(supervisor, well).census();
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, ReParentedToASubreaperOfItsOwnIsNoOrphan) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reparented{helper, task, supervisor, false});
  story.after(500ms, Exited{helper, "helper", killed, true}).exits(supervisor, well).census();
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::held);
}

TEST(NoOrphans, AtTheDeadlineOnlyWhatIsUnderPid1IsMisplaced) {
  Story misplaced(small_case());
  misplaced.start().asked().then(Reparented{helper, task, warden_pid, false}).then(DeadlinePassed{"teardown"});
  misplaced.then(CensusTaken{"deadline", true, {alive(supervisor, warden_pid), alive(helper, warden_pid)}});
  EXPECT_EQ(no_orphans(misplaced.whole()).outcome, Outcome::broken);

  Story in_place(small_case());
  in_place.start().asked().then(DeadlinePassed{"teardown"});
  in_place.then(CensusTaken{"deadline", true, {alive(supervisor, warden_pid), alive(task, supervisor), alive(helper, task)}});
  EXPECT_EQ(no_orphans(in_place.whole()).outcome, Outcome::skipped)
      << "it may still bring them down; that it has not is teardown-bounded's matter";
}

TEST(NoOrphans, TheSubreaperTiersWardenHasAnotherPid) {
  Story story(small_case());
  story.then(ArenaOpened{"subreaper", false, 900, ""}).then(Spawned{supervisor, 900, -1, "supervisor"}).asked();
  story.then(CensusTaken{"deadline", true, {alive(supervisor, 900), alive(helper, 900)}});
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::broken);
}

TEST(NoOrphans, IsUnknownWithoutACompleteCensus) {
  Story without(small_case());
  without.start().asked().exits(supervisor, well);
  EXPECT_EQ(no_orphans(without.whole()).outcome, Outcome::unknown);

  Story incomplete(small_case());
  incomplete.start().asked().exits(supervisor, well).then(CensusTaken{"conclusion", false, {}});
  EXPECT_EQ(no_orphans(incomplete.whole()).outcome, Outcome::unknown);
}

TEST(NoOrphans, AnIncompleteCensusStillShowsWhomItSaw) {
  Story story(small_case());
  story.start().asked().exits(supervisor, well).then(CensusTaken{"conclusion", false, {alive(helper, warden_pid)}});
  EXPECT_EQ(no_orphans(story.whole()).outcome, Outcome::broken);
}

}  // namespace
}  // namespace forkproof::oracles
