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

/// A helper that kept the task's stdout writes there too; one that did not writes elsewhere.
Story with_helper(std::uint32_t keeps) {
  Case one = chatty(1'000);
  one.tree.children[0].output_bytes = 500;
  one.tree.children[0].keeps = keeps;
  Story story(one);
  story.then(CaptureOpened{supervisor, "stdout", "pipe", "while-waiting", "pipe:[7]", "pipe:[7]"}).start();
  story.then(wrote(1'000)).then(OutputCounted{helper, "stdout", "written", 500});
  return story;
}

TEST(NoLostOutput, CountsWhoeverHasKeptTheChannelAndNobodyElse) {
  EXPECT_EQ(no_lost_output(with_helper(keeps_all).then(read(1'500)).whole()).outcome, Outcome::held);
  EXPECT_EQ(no_lost_output(with_helper(keeps_all).then(read(1'000)).whole()).outcome, Outcome::broken);
  EXPECT_EQ(no_lost_output(with_helper(keeps_stdin).then(read(1'000)).whole()).outcome, Outcome::held);
  EXPECT_EQ(no_lost_output(with_helper(keeps_stdin).then(read(1'500)).whole()).outcome, Outcome::broken);
}

TEST(NoLostOutput, OfOneThatWasEndedInTheMiddleOnlyTheOthersAreOwed) {
  Case one = chatty(70'000);
  one.tree.children[0].output_bytes = 500;
  one.tree.children[0].keeps = keeps_stdout;
  for (const auto& [bytes, outcome] : {std::pair{std::uint64_t{4'596}, Outcome::skipped}, {std::uint64_t{499}, Outcome::broken}}) {
    Story story(one);
    story.then(CaptureOpened{supervisor, "stdout", "pipe", "while-waiting", "pipe:[7]", "pipe:[7]"}).start();
    story.then(OutputCounted{helper, "stdout", "written", 500}).then(read(bytes));
    EXPECT_EQ(no_lost_output(story.whole()).outcome, outcome) << bytes;
  }
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
