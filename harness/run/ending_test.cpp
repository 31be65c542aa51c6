// What a league table compares, read off histories.
#include <gtest/gtest.h>

#include <chrono>

#include "harness/run/ending.h"

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;

History up_to_the_teardown() {
  History history;
  history.append({0ms, ArenaOpened{"sealed", true, warden_pid, ""}});
  history.append({1ms, Spawned{2, warden_pid, -1, "supervisor"}});
  history.append({2ms, Spawned{3, 2, 0, "task"}});
  history.append({10ms, TeardownAsked{"SIGTERM"}});
  return history;
}

TEST(Ending, CountsWhoLivesOnAndTimesTheSubject) {
  History history = up_to_the_teardown();
  history.append({13ms, Exited{2, "supervisor", WaitStatus::killed_by(15), true}});
  history.append({14ms, CensusTaken{"conclusion", true, {{.pid = 3, .parent = 1, .state = "S", .name = "task"},
                                                         {.pid = 4, .parent = 1, .state = "Z", .name = "dead"},
                                                         {.pid = 5, .parent = 1, .state = "S", .doomed = true}}}});
  const Ending ending = ending_of(history);
  EXPECT_EQ(ending.left, 1U);
  EXPECT_EQ(ending.took, 3ms);
  EXPECT_EQ(ending.status, WaitStatus::killed_by(15));
}

TEST(Ending, OfASubjectThatDoesNotEndIsOpen) {
  History history = up_to_the_teardown();
  history.append({5s, CensusTaken{"deadline", true, {{.pid = 2, .parent = 1, .state = "S"}, {.pid = 3, .parent = 2, .state = "S"}}}});
  const Ending ending = ending_of(history);
  EXPECT_EQ(ending.left, 1U);
  EXPECT_FALSE(ending.took);
  EXPECT_FALSE(ending.status);
}

TEST(Ending, WithoutACensusNothingIsSaidOfWhoIsLeft) {
  const Ending ending = ending_of(up_to_the_teardown());
  EXPECT_FALSE(ending.left);
  EXPECT_FALSE(ending.took);
}

}  // namespace
}  // namespace forkproof::run
