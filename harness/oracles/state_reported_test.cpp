#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict state_reported(const History& history);
namespace {

using testing::HasSubstr;

const WaitStatus well = WaitStatus::exited_with(0), killed = WaitStatus::killed_by(9);

Request told(const std::string& state) { return {"state", 1, "PATCH", "/state", "{\"state\":\"" + state + "\"}"}; }

/// The task ends so; what the supervisor concludes and tells follows.
Story task_ended(WaitStatus status) {
  Story story(small_case());
  story.start().exits(task, status);
  return story;
}
Story revoked() {
  Story story(small_case());
  story.start().then(Reply{"heartbeat", 3, 409}).exits(task, killed);
  return story;
}

TEST(StateReported, HoldsForTheStateThatMatchesAndIsTold) {
  EXPECT_EQ(state_reported(task_ended(well).then(StateConcluded{supervisor, "success"}).then(told("success")).whole()).outcome,
            Outcome::held);
  EXPECT_EQ(state_reported(task_ended(killed).then(StateConcluded{supervisor, "failed"}).then(told("failed")).whole()).outcome,
            Outcome::held);
}

TEST(StateReported, BreaksForAStateThatDoesNotMatch) {
  const Verdict verdict =
      state_reported(task_ended(well).then(StateConcluded{supervisor, "failed"}).then(told("failed")).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "it concluded 'failed', but what happened is 'success'");
  EXPECT_EQ(verdict.evidence.size(), 2U);
}

TEST(StateReported, BreaksWhenTheServerWasNotTold) {
  const Verdict verdict = state_reported(task_ended(well).then(StateConcluded{supervisor, "success"}).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("did not tell the server"));
}

TEST(StateReported, HoldsUntoldWhereThereIsNoServer) {
  Case one = small_case();
  one.server = false;
  Story story(one);
  story.start().exits(task, well).then(StateConcluded{supervisor, "success"});
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::held);
}

TEST(StateReported, BreaksWhenTheServerWasToldAnother) {
  EXPECT_EQ(state_reported(task_ended(well).then(StateConcluded{supervisor, "success"}).then(told("failed")).whole()).outcome,
            Outcome::broken);
}

TEST(StateReported, WhatTheServerDecidedItNeedNotHear) {
  EXPECT_EQ(state_reported(revoked().then(StateConcluded{supervisor, "server-terminated"}).whole()).outcome, Outcome::held);
}

TEST(StateReported, WhatTheServerDecidedItMustNotHear) {
  const Verdict verdict = state_reported(
      revoked().then(StateConcluded{supervisor, "server-terminated"}).then(told("server-terminated")).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
}

TEST(StateReported, ARevokedTaskHasNotFailed) {
  EXPECT_EQ(state_reported(revoked().then(StateConcluded{supervisor, "failed"}).then(told("failed")).whole()).outcome,
            Outcome::broken);
}

TEST(StateReported, OnlyTheProfilesStatusesRevoke) {  // 404 and 409 unless it says otherwise
  Story story(small_case());
  story.start().then(Reply{"heartbeat", 3, 500}).exits(task, well);
  story.then(StateConcluded{supervisor, "success"}).then(told("success"));
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::held);
}

TEST(StateReported, ATaskThatWasRefusedNeverStarted) {
  Story story(small_case());
  story.start().then(Reply{"run", 1, 401}).exits(task, killed).then(StateConcluded{supervisor, "not-started"});
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::held);
}

/// The rig's SIGTERM, before the supervisor has asked the server to start the task.
Story stopped_at_once() {
  Story story(small_case());
  story.start().then(Signalled{warden_pid, supervisor, 15, 0}).exits(task, killed);
  return story;
}

TEST(StateReported, OneThatWasToldToStopBeforeItsTaskStartedHasStartedNone) {
  EXPECT_EQ(state_reported(stopped_at_once().then(StateConcluded{supervisor, "not-started"}).whole()).outcome, Outcome::held);
  EXPECT_EQ(state_reported(stopped_at_once().then(StateConcluded{supervisor, "failed"}).then(told("failed")).whole()).outcome,
            Outcome::broken);
}

TEST(StateReported, OneThatWasToldToStopLaterOwesTheTasksState) {
  Story story(small_case());
  story.start().then(Request{"run", 1, "PATCH", "/run", "{}"}).then(Signalled{warden_pid, supervisor, 15, 0}).exits(task, killed);
  story.then(StateConcluded{supervisor, "failed"}).then(told("failed"));
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::held);
}

TEST(StateReported, BreaksForTwoStates) {
  const Verdict verdict = state_reported(
      task_ended(well).then(StateConcluded{supervisor, "success"}).then(StateConcluded{supervisor, "success"}).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "it came to 2 final states");
}

TEST(StateReported, BreaksForNoneAndSaysWhy) {
  Story failed = task_ended(killed);
  failed.then(SubjectFailed{supervisor, "ValueError"}).exits(supervisor, WaitStatus::exited_with(1));
  const Verdict verdict = state_reported(failed.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "the supervisor came to no final state: its loop failed with \"ValueError\"");
  EXPECT_EQ(state_reported(task_ended(killed).whole()).because, "the supervisor came to no final state by the deadline");
}

TEST(StateReported, BreaksWhenItHadKilledItself) {  // killpg of a group that was still its own
  Story story(small_case());
  story.start().then(Signalled{supervisor, -supervisor, 9, 0}).exits(supervisor, killed);
  const Verdict verdict = state_reported(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("it was killed by SIGKILL, which it sent to its own group"));
}

TEST(StateReported, IsUnknownWhenTheTasksEndWasNotSeen) {
  Story story(small_case());
  story.start().then(StateConcluded{supervisor, "success"}).then(told("success"));
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::unknown);
}

TEST(StateReported, IsSkippedForWhoTellsNothing) {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  EXPECT_EQ(state_reported(story.whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
