#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict selector_intact(const History& history);
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Story closed_and_waited_on(const std::string& taken_by) {
  Story story(small_case());
  story.start().then(SelectorClosed{supervisor, 9, "loop"}).then(ClosedSelectorWait{supervisor, 9, taken_by});
  return story;
}

TEST(SelectorIntact, HoldsWhenItIsClosedAtTheEnd) {
  Story story(small_case());
  story.start().then(SelectorClosed{supervisor, 9, "end"});
  EXPECT_EQ(selector_intact(story.whole()).outcome, Outcome::held);
}

TEST(SelectorIntact, ClosingItInTheLoopIsNoMistakeYet) {  // waiting on it is
  Story story(small_case());
  story.start().then(SelectorClosed{supervisor, 9, "loop"});
  EXPECT_EQ(selector_intact(story.whole()).outcome, Outcome::held);
}

TEST(SelectorIntact, BreaksWithTheKernelsWordWhenTheNumberIsNobodys) {
  Story story = closed_and_waited_on("nobody");
  story.then(ClosedSelectorResult{supervisor, EBADF});
  const History history = story.whole();
  const Verdict verdict = selector_intact(history);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, AllOf(HasSubstr("the number was nobody's"), EndsWith("Bad file descriptor")));
  ASSERT_EQ(verdict.evidence.size(), 3U);
  EXPECT_NE(history[verdict.evidence[0]].as<SelectorClosed>(), nullptr);
  EXPECT_NE(history[verdict.evidence[1]].as<ClosedSelectorWait>(), nullptr);
  EXPECT_NE(history[verdict.evidence[2]].as<ClosedSelectorResult>(), nullptr);
}

TEST(SelectorIntact, BreaksWhenASocketHasTheNumber) {
  Story story = closed_and_waited_on("socket");
  story.then(ClosedSelectorResult{supervisor, EINVAL});
  EXPECT_THAT(selector_intact(story.whole()).because,
              AllOf(HasSubstr("the number was socket's"), EndsWith("Invalid argument")));
}

TEST(SelectorIntact, BreaksWhenTheWaitNeverReturns) {  // the silent one
  const Verdict verdict = selector_intact(closed_and_waited_on("epoll").whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, EndsWith("no error, and none of its events, ever"));
}

TEST(SelectorIntact, IsSkippedForWhomItCannotSeeInto) {
  Story story(small_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  EXPECT_EQ(selector_intact(story.whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
