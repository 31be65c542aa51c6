#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_crash_loop(const History& history);
namespace {

const WaitStatus segv = WaitStatus::killed_by(SIGSEGV);

/// A master whose workers crash, one after the other, each started so long after the one before had died.
Story master(const std::vector<Nanos>& waits) {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  Pid pid = 10;
  std::int64_t number = 0;
  for (const Nanos wait : waits) {
    story.then(WorkerStarted{supervisor, ++pid, ++number, wait}).then(Exited{pid, "worker", segv, true});
  }
  return story;
}

TEST(NoCrashLoop, IsSkippedWhereThereIsNoMaster) {
  Story story(small_case());
  story.start();
  EXPECT_EQ(no_crash_loop(story.whole()).outcome, Outcome::skipped);
}

TEST(NoCrashLoop, HoldsWhenTheWorkersAreUp) {
  Story story(small_case());
  story.then(WorkerStarted{supervisor, 11, 1, {}}).then(Ready{11, 0, supervisor, 2, 2});
  story.asked().then(Exited{11, "worker", WaitStatus::killed_by(SIGTERM), true});
  EXPECT_EQ(no_crash_loop(story.whole()).outcome, Outcome::held);
}

TEST(NoCrashLoop, HoldsForAFewCrashesWithGrowingWaits) {
  EXPECT_EQ(no_crash_loop(master({0ms, 5ms, 10ms, 20ms, 40ms}).whole()).outcome, Outcome::held);
}

TEST(NoCrashLoop, AWaitThatTheMachineMadeLongerIsNoProof) {
  EXPECT_EQ(no_crash_loop(master({0ms, 35ms, 10ms, 20ms, 40ms}).whole()).outcome, Outcome::held);
}

TEST(NoCrashLoop, BreaksAboveTheBoundHoweverLongTheWaits) {
  std::vector<Nanos> waits{0ms};
  for (int i = 0; i < 9; ++i) waits.push_back((1 << i) * 1ms);
  EXPECT_EQ(no_crash_loop(master(waits).whole()).outcome, Outcome::held);
  waits.push_back(512ms);
  const Verdict verdict = no_crash_loop(master(waits).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, testing::HasSubstr("11 of 11 workers died before they were up (SIGSEGV)"));
}

TEST(NoCrashLoop, BreaksWhenTheWaitsDoNotGrow) {
  EXPECT_EQ(no_crash_loop(master({0ms, 5ms, 5ms, 5ms, 5ms}).whole()).outcome, Outcome::broken);
}

TEST(NoCrashLoop, AnEndThatWasAskedForIsNoCrash) {
  Story story(small_case());
  story.then(WorkerStarted{supervisor, 11, 1, {}}).asked().then(Exited{11, "worker", WaitStatus::killed_by(SIGTERM), true});
  EXPECT_EQ(no_crash_loop(story.whole()).outcome, Outcome::held);
}

TEST(NoCrashLoop, IsUnknownWhenTheTimeToWatchWasOver) {
  Story story = master({0ms, 5ms});
  story.then(DeadlinePassed{"startup"});
  EXPECT_EQ(no_crash_loop(story.whole()).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
