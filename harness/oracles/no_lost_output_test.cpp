#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_lost_output(const History& history);
namespace {

Case chatty(std::uint64_t bytes) {
  Case one = small_case();
  one.tree.output_bytes = bytes;
  return one;
}

Story captured_by(const std::string& capture, std::uint64_t bytes = 70'000) {
  Story story(chatty(bytes));
  story.then(CaptureOpened{supervisor, "stdout", capture, "after-exit", "pipe:[7]", "pipe:[7]"}).start();
  return story;
}

OutputCounted wrote(std::uint64_t bytes) {
  return {task, "stdout", "written", bytes};
}
OutputCounted read(std::uint64_t bytes) {
  return {supervisor, "stdout", "read", bytes};
}
const Stuck in_write{task, "task-runner", "pipe-write", true, Nanos{}, "the pipe is full"};

TEST(NoLostOutput, HoldsWhenAllThatWasWrittenWasRead) {
  EXPECT_EQ(no_lost_output(captured_by("pipe").then(wrote(70'000)).then(read(70'000)).whole()).outcome,
            Outcome::held);
}

TEST(NoLostOutput, BreaksByASingleByte) {
  const Verdict verdict = no_lost_output(captured_by("pipe").then(wrote(70'000)).then(read(69'999)).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "70000 bytes were written, 69999 were read");
  EXPECT_EQ(verdict.evidence.size(), 3U);
}

TEST(NoLostOutput, BreaksWhereTheTaskIsStuckInWriting) {
  const Verdict verdict = no_lost_output(captured_by("pipe").then(in_write).then(read(65'536)).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "of 70000 bytes 65536 were read: the task is stuck in writing");
}

TEST(NoLostOutput, ATaskThatWasEndedInTheMiddleOwesNothing) {
  EXPECT_EQ(no_lost_output(captured_by("pipe").then(read(4096)).whole()).outcome, Outcome::skipped);
}

TEST(NoLostOutput, IsUnknownWhenTheReadersCountIsMissing) {
  EXPECT_EQ(no_lost_output(captured_by("pipe").then(wrote(70'000)).whole()).outcome, Outcome::unknown);
}

TEST(NoLostOutput, NothingIsPromisedWhereNothingIsCaptured) {
  for (const char* capture : {"null", "inherited"}) {
    EXPECT_EQ(no_lost_output(captured_by(capture).then(wrote(70'000)).whole()).outcome, Outcome::skipped)
        << capture;
  }
  EXPECT_EQ(no_lost_output(captured_by("pipe", 0).then(read(0)).whole()).outcome, Outcome::skipped);
  Story foreign(chatty(70'000));
  EXPECT_EQ(no_lost_output(foreign.start().whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
