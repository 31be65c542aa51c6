#include "harness/fuzz/exchange.h"

#include <gtest/gtest.h>

namespace forkproof::fuzz {
namespace {

const WaitingAt supervisor_spawned{2, -1, "supervisor", "spawned"};
const WaitingAt supervisor_signalling{2, -1, "supervisor", "signalling"};
const WaitingAt task_forked{3, 0, "task", "forked"};
const WaitingAt helper_hello{4, 1, "helper", "hello"};

/// `goes` is one of `waiting`.
struct Told {
  std::int64_t step = 0, decision = 0;
  History history;

  Told& then(const WaitingAt& goes, std::vector<WaitingAt> waiting) {
    const bool decided = waiting.size() > 1;
    const std::string letter = goes.node < 0 ? "s" : goes.node == 0 ? "a" : "b";
    history.append({Nanos{}, Scheduled{++step, decided ? ++decision : 0, goes.pid, letter, goes.role, goes.point, true, waiting}});
    return *this;
  }
};

TEST(Exchanges, WithoutADecisionThereIsNone) {
  EXPECT_TRUE(exchanges_in(History{}).empty());
  Told told;
  told.then(supervisor_spawned, {supervisor_spawned});
  EXPECT_TRUE(exchanges_in(told.history).empty());
}

TEST(Exchanges, TheOtherGoesBeforeTheOneThatWent) {
  Told told;
  told.then(supervisor_spawned, {supervisor_spawned, task_forked}).then(task_forked, {task_forked});
  const auto all = exchanges_in(told.history);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].schedule, "as");
  EXPECT_EQ(text(all[0]), "task(3) passes \"forked\" before supervisor(2) passes \"spawned\"");
}

TEST(Exchanges, TheLatestDecisionIsFirst) {
  Told told;
  told.then(supervisor_spawned, {supervisor_spawned, task_forked}).then(supervisor_signalling, {supervisor_signalling, task_forked});
  const auto all = exchanges_in(told.history);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].decision, 2U);
  EXPECT_EQ(all[0].schedule, "sas");
  EXPECT_EQ(all[1].decision, 1U);
  EXPECT_EQ(all[1].schedule, "ass");
}

TEST(Exchanges, ATurnThatComesLaterIsMovedUpNotDoubled) {
  Told told;
  told.then(supervisor_spawned, {supervisor_spawned, task_forked, helper_hello})
      .then(task_forked, {task_forked, helper_hello})
      .then(helper_hello, {helper_hello});
  const auto all = exchanges_in(told.history);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].schedule, "sba");
  EXPECT_EQ(all[1].schedule, "as");    // a, then s, and the last decides itself
  EXPECT_EQ(all[2].schedule, "bsa");
}

TEST(Exchanges, OfTwoThatPlayOneNodeTheScheduleKnowsOne) {
  const WaitingAt twin{5, 0, "task", "forked"};
  Told told;
  told.then(supervisor_spawned, {supervisor_spawned, task_forked, twin});
  EXPECT_EQ(exchanges_in(told.history).size(), 1U);
}

TEST(Exchanges, APointPassedBeforeIsCounted) {
  Told told;
  told.then(task_forked, {task_forked}).then(supervisor_spawned, {supervisor_spawned, task_forked});
  EXPECT_EQ(text(exchanges_in(told.history).at(0).sooner), "task(3) passes \"forked\" for the 2nd time");
  EXPECT_EQ(text(Passing{3, 0, "task", "forked", 12}), "task(3) passes \"forked\" for the 12th time");
  EXPECT_EQ(text(Passing{3, 0, "task", "forked", 23}), "task(3) passes \"forked\" for the 23rd time");
}

}  // namespace
}  // namespace forkproof::fuzz
