#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_inherited_descriptors(const History& history);
namespace {

using testing::HasSubstr;

Story listens() {
  Story story(small_case());
  story.then(ListenerOpened{supervisor, 4000, "socket:[7]"}).start();
  return story.exits(supervisor, WaitStatus::killed_by(9));
}
const ProbeMade free_port{"bind to 127.0.0.1:4000", "free", true};
const ProbeMade taken_port{"bind to 127.0.0.1:4000", "bind: Address already in use", false};
const ProbeMade refused{"connect to 127.0.0.1:4000", "connect: Connection refused", true};

TEST(NoInheritedDescriptors, HoldsWhenThePortIsFree) {
  EXPECT_EQ(no_inherited_descriptors(listens().then(free_port).then(refused).whole()).outcome, Outcome::held);
}

TEST(NoInheritedDescriptors, NamesWhoHoldsItAndWhatThatDoes) {
  const Verdict verdict =
      no_inherited_descriptors(listens()
                                   .then(DescriptorHeld{task, 7, "listener 127.0.0.1:4000", supervisor})
                                   .then(taken_port)
                                   .then(refused)
                                   .whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("task-runner (pid 3) as descriptor 7"));
  EXPECT_THAT(verdict.because, HasSubstr("Address already in use"));
  EXPECT_EQ(verdict.evidence.size(), 3U);
}

TEST(NoInheritedDescriptors, APortThatIsTakenIsEnough) {
  EXPECT_EQ(no_inherited_descriptors(listens().then(taken_port).then(refused).whole()).outcome,
            Outcome::broken);
}

TEST(NoInheritedDescriptors, IsUnknownWhenNobodyLooked) {
  EXPECT_EQ(no_inherited_descriptors(listens().whole()).outcome, Outcome::unknown);
}

/// Another task beside the first, whose stdout is captured.
Story has_second_task() {
  Case one = small_case();
  std::get<ModelSupervisor>(one.subject).profile.sibling = Sibling::second_task;
  Story story(one);
  story.then(CaptureOpened{supervisor, "stdout", "pipe", "while-waiting", "pipe:[8]", "pipe:[8]"});
  return story.then(Spawned{5, supervisor, 2, "second-task"}).start();
}

TEST(NoInheritedDescriptors, ASecondTaskThatHasNothingOfTheFirstsIsRight) {
  const ProbeMade nothing{"descriptors of the second task", "none of the first task's", true};
  EXPECT_EQ(no_inherited_descriptors(has_second_task().then(nothing).whole()).outcome, Outcome::held);
}

TEST(NoInheritedDescriptors, ASecondTaskThatKeepsTheFirstsWriteEndIsNamed) {
  const Verdict verdict =
      no_inherited_descriptors(has_second_task().then(DescriptorHeld{5, 6, "the write end of stdout", supervisor}).whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("second-task (pid 5) has inherited the write end of stdout"));
}

TEST(NoInheritedDescriptors, IsUnknownWhenNobodyLookedAtTheSecondTask) {
  const Ready up{5, 2, supervisor, 5, 5};
  EXPECT_EQ(no_inherited_descriptors(has_second_task().then(up).whole()).outcome, Outcome::unknown);
  // Nor could anybody, if it was ended before it was up.
  EXPECT_EQ(no_inherited_descriptors(has_second_task().whole()).outcome, Outcome::skipped);
  const ProbeMade too_late{"second task", "ended before anybody could look", true};
  EXPECT_EQ(no_inherited_descriptors(has_second_task().then(up).then(too_late).whole()).outcome, Outcome::skipped);
}

TEST(NoInheritedDescriptors, IsSkippedWhereNobodyListens) {
  Story story(small_case());
  EXPECT_EQ(no_inherited_descriptors(story.start().whole()).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
