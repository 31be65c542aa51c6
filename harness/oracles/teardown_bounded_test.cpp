#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict teardown_bounded(const History& history);
namespace {

using testing::HasSubstr;

const WaitStatus well = WaitStatus::exited_with(0);

/// The supervisor ends so long after it was asked. The bound is 100 ms.
Verdict ended_after(Nanos time) {
  Story story(small_case());
  story.start().asked().after(time, Exited{supervisor, "supervisor", well, true});
  return teardown_bounded(story.whole());
}

TEST(TeardownBounded, HoldsUpToTheBoundItself) {
  EXPECT_EQ(ended_after(1ms).outcome, Outcome::held);
  EXPECT_EQ(ended_after(100ms).outcome, Outcome::held);
}

TEST(TeardownBounded, AnEndBeforeItWasAskedForIsNoNegativeTime) {
  Story story(small_case());
  story.start().exits(supervisor, well).asked();
  const Verdict verdict = teardown_bounded(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::held);
  EXPECT_EQ(verdict.because, "the supervisor had ended before it was asked to");
}

TEST(TeardownBounded, AMachineThatWasLaterThanItTookLeavesNothing) {
  Story story(small_case());
  story.start().asked().then(MachineLate{50ms}).exits(supervisor, well);
  EXPECT_EQ(teardown_bounded(story.whole()).because.find("-"), std::string::npos);
}

TEST(TeardownBounded, BreaksBeyondTheBound) {
  const Verdict verdict = ended_after(100ms + 1ns);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(ended_after(250ms).because, "the supervisor ended 250 ms after it was asked to; the bound is 100 ms");
}

TEST(TeardownBounded, EvidenceIsTheAskingAndTheEnd) {
  Story story(small_case());
  story.start().asked().after(250ms, Exited{supervisor, "supervisor", well, true});
  const History history = story.whole();
  const Verdict verdict = teardown_bounded(history);
  ASSERT_EQ(verdict.evidence.size(), 2U);
  EXPECT_NE(history[verdict.evidence[0]].as<TeardownAsked>(), nullptr);
  EXPECT_EQ(history[verdict.evidence[1]].as<Exited>()->pid, supervisor);
}

TEST(TeardownBounded, ThatTheTaskEndedInTimeIsNotEnough) {
  Story story(small_case());
  story.start().asked().exits(task, well).after(300ms, Exited{supervisor, "supervisor", well, true});
  EXPECT_EQ(teardown_bounded(story.whole()).outcome, Outcome::broken);
}

TEST(TeardownBounded, WhatTheMachineLostIsNotCounted) {
  Story story(small_case());
  story.start().asked().after(200ms, MachineLate{150ms}).after(40ms, Exited{supervisor, "supervisor", well, true});
  const Verdict verdict = teardown_bounded(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::held);
  EXPECT_THAT(verdict.because, HasSubstr("the machine was late by 150 ms, not counted"));
}

TEST(TeardownBounded, WhatItLostBeforeIsNoExcuse) {
  Story story(small_case());
  story.start().then(MachineLate{150ms}).asked().after(240ms, Exited{supervisor, "supervisor", well, true});
  EXPECT_EQ(teardown_bounded(story.whole()).outcome, Outcome::broken);
}

TEST(TeardownBounded, BreaksWhenTheDeadlineCameFirst) {
  Story story(small_case());
  story.start().asked().after(700ms, DeadlinePassed{"teardown"});
  const Verdict verdict = teardown_bounded(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "no conclusion 700 ms after it was asked for; the bound is 100 ms");
}

// What never comes up is asked to end when the time for its start is over: that deadline is not the teardown's.
TEST(TeardownBounded, CountsToTheDeadlineOfTheTeardown) {
  Story story(small_case());
  story.start().then(DeadlinePassed{"startup"}).asked().after(700ms, DeadlinePassed{"teardown"});
  EXPECT_EQ(teardown_bounded(story.whole()).because, "no conclusion 700 ms after it was asked for; the bound is 100 ms");
}

TEST(TeardownBounded, IsUnknownWhenNothingAskedForOne) {
  Story story(small_case());
  story.start().exits(supervisor, well);
  EXPECT_EQ(teardown_bounded(story.whole()).outcome, Outcome::unknown);
}

TEST(TeardownBounded, IsUnknownWithNeitherEndNorDeadline) {
  Story story(small_case());
  story.start().asked();
  EXPECT_EQ(teardown_bounded(story.whole()).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
