#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/probe.h"
#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict end_noticed(const History& history);
namespace {

using testing::HasSubstr;

Story task_ends() {
  Story story(small_case());
  return story.start().exits(task, WaitStatus::exited_with(0));
}

TEST(EndNoticed, HoldsWhenTheSupervisorHasReapedItsTask) {
  EXPECT_EQ(end_noticed(task_ends().then(ProbeMade{end_probe, "the supervisor has reaped it", true}).whole()).outcome, Outcome::held);
}

TEST(EndNoticed, IsBrokenWhenItSleptOn) {
  const Verdict verdict = end_noticed(task_ends().then(ProbeMade{end_probe, "the supervisor slept on", false}).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("slept on"));
  EXPECT_EQ(verdict.evidence.size(), 2U);
}

TEST(EndNoticed, IsSkippedWhereNobodyWatched) {
  EXPECT_EQ(end_noticed(task_ends().then(ProbeMade{"bind to 127.0.0.1:4000", "free", false}).whole()).outcome, Outcome::skipped);
}

TEST(EndNoticed, IsUnknownWhenTheEndWasNotSeen) {
  Story story(small_case());
  EXPECT_EQ(end_noticed(story.start().then(ProbeMade{end_probe, "the supervisor slept on", false}).whole()).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
