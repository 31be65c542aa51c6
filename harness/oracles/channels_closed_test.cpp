#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict channels_closed(const History& history);
namespace {

using testing::HasSubstr;

Story captures(const char* capture = "pipe", const char* drain = "while-waiting") {
  Story story(small_case());
  return story.then(CaptureOpened{supervisor, "stdout", capture, drain, "pipe:[7]", "pipe:[7]"}).start();
}
const ChannelClosed stdout_closed{supervisor, "stdout", "forced"};
const StateConcluded failed{supervisor, "failed"};

TEST(ChannelsClosed, HoldsWhenItWasClosedBeforeTheConclusion) {
  EXPECT_EQ(channels_closed(captures().then(stdout_closed).then(failed).whole()).outcome, Outcome::held);
}

TEST(ChannelsClosed, IsBrokenWhenItWasOnlyForgotten) {
  const Verdict verdict = channels_closed(captures().then(ChannelClosed{supervisor, "stderr", "eof"}).then(failed).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("pipe:[7]"));
  EXPECT_EQ(channels_closed(captures().then(failed).then(stdout_closed).whole()).outcome, Outcome::broken);
}

TEST(ChannelsClosed, IsSkippedWhereThereIsNothingToClose) {
  EXPECT_EQ(channels_closed(captures().whole()).outcome, Outcome::skipped);  // no conclusion
  EXPECT_EQ(channels_closed(captures("file").then(failed).whole()).outcome, Outcome::skipped);
  EXPECT_EQ(channels_closed(captures("pipe", "never").then(failed).whole()).outcome, Outcome::skipped);
  EXPECT_EQ(channels_closed(captures().then(StateConcluded{supervisor, "not-started"}).whole()).outcome, Outcome::skipped);
  Story without(small_case());
  EXPECT_EQ(channels_closed(without.start().then(failed).whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
