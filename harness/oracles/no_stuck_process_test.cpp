#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_stuck_process(const History& history);
namespace {

using testing::HasSubstr;

Stuck deadlock(bool proved) { return {task, "task-runner", "deadlock", proved, 3ms, "nobody is left to wake it"}; }

TEST(NoStuckProcess, HoldsWhenNobodyWasFound) {
  Story story(small_case());
  story.start().asked().census();
  EXPECT_EQ(no_stuck_process(story.whole()).outcome, Outcome::held);
}

TEST(NoStuckProcess, BreaksWithTheProof) {
  Story story(small_case());
  story.start().then(FaultEstablished{"fork-after-thread", "the lock is held"}).then(deadlock(true));
  const History history = story.whole();
  const Verdict verdict = no_stuck_process(history);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("task-runner (pid 3) is stuck (deadlock, proved"));
  EXPECT_THAT(verdict.because, testing::EndsWith(": nobody is left to wake it"));
  ASSERT_EQ(verdict.evidence.size(), 2U);
  EXPECT_NE(history[verdict.evidence[0]].as<FaultEstablished>(), nullptr);
  EXPECT_NE(history[verdict.evidence[1]].as<Stuck>(), nullptr);
}

TEST(NoStuckProcess, SaysWhenItWasWaitedForOnly) {
  Story story(small_case());
  story.start().then(deadlock(false));
  const Verdict verdict = no_stuck_process(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("not proved: waited for"));
}

TEST(NoStuckProcess, IsUnknownWhereNobodyLooked) {
  EXPECT_EQ(no_stuck_process(History{}).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
