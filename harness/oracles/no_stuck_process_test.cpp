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

Outcome stopped_and_then(const std::string& state) {
  Story story(small_case());
  story.start().then(Stuck{task, "task-runner", "stopped", false, 3ms, "it was stopped by a signal"}).asked();
  story.census(state.empty() ? std::vector<CensusEntry>{} : std::vector<CensusEntry>{{task, supervisor, task, task, state, false, "task"}});
  return no_stuck_process(story.whole()).outcome;
}

TEST(NoStuckProcess, AStopCountsWhereItLasts) {
  EXPECT_EQ(stopped_and_then("T"), Outcome::broken);
  EXPECT_EQ(stopped_and_then("S"), Outcome::held) << "it was continued";
  EXPECT_EQ(stopped_and_then(""), Outcome::held) << "it has ended";
}

TEST(NoStuckProcess, WorkIsNotBeingStuck) {
  Story story(small_case());
  story.start().then(Stuck{task, "task-runner", "spinning", false, 3ms, "it has computed for 300 ms"}).asked().census();
  EXPECT_EQ(no_stuck_process(story.whole()).outcome, Outcome::held);
}

TEST(NoStuckProcess, IsUnknownWhereNobodyLooked) {
  EXPECT_EQ(no_stuck_process(History{}).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
