// Orders of real runs, in arenas.
#include "harness/fuzz/order.h"

#include <gtest/gtest.h>

#include "harness/core/schedule.h"
#include "harness/run/plan.h"
#include "harness/scenario/scenario.h"

namespace forkproof::fuzz {
namespace {

/// Refused at once, and nobody is held: whether the child has its group by then is a matter of order.
constexpr char refused[] = R"(
question = "Whom does the supervisor kill when the server refuses the task?"
[tree]
role = "task-runner"
[[fault]]
fault = "heartbeat-reply"
status = 401
after = "start"
[across]
profiles = ["exemplary"]
)";

/// Nothing goes wrong, there is somebody to order, and no timer that an order could come too late for.
constexpr char succeeds[] = R"(
question = "Is a task that succeeds told as a success?"
[tree]
role = "task"
ends_with_children = true
[[tree.children]]
role = "helper"
copies = 2
exits_after_s = 0.0
[across]
profiles = ["exemplary"]
)";

Case case_of_text(const char* text, const std::string& profile, const std::string& backend = "fork") {
  run::Choice choice;
  choice.profiles = {profile}, choice.backends = {backend};
  return run::cross(scenario::read_scenario_text(text, "test.toml", run::vocabulary()), choice).front().one;
}

class OrderTest : public testing::Test {
 protected:
  std::vector<run::FinishedRun> play(Case one, const std::string& schedule, std::size_t times) {
    one.schedule = schedule;
    std::vector<run::FinishedRun> all;
    for (std::size_t started = 0; all.size() < times;) {
      while (started < times && !pool_.full()) pool_.start(one, started++);
      for (auto& finished : pool_.wait()) all.push_back(std::move(finished));
    }
    return all;
  }
  const arena::Provision provision_ = arena::provide(std::nullopt);
  run::RunPool pool_{provision_, 2};
};

/// Who passed what, in order.
std::string passings(const History& history) {
  std::string all;
  for (const Event& event : history.events()) {
    if (const auto* step = event.as<Scheduled>()) all += step->letter + ":" + step->point + " ";
  }
  return all;
}

TEST_F(OrderTest, WithoutAScheduleNothingIsScheduled) {
  for (const auto& run : play(case_of_text(succeeds, "exemplary"), "", 3)) EXPECT_EQ(passings(run.history), "");
}

TEST_F(OrderTest, ARecordedOrderIsMadeAgain) {
  const Case one = case_of_text(succeeds, "exemplary");
  for (const char* schedule : {"random:3", "pct:5:2"}) {
    const auto first = play(one, schedule, 1);
    const std::string letters = schedule_of(first[0].history);
    ASSERT_GT(letters.size(), 1U) << schedule;
    for (const auto& run : play(one, letters, 20)) EXPECT_EQ(passings(run.history), passings(first[0].history)) << schedule;
  }
}

TEST_F(OrderTest, UnderEachKindThePromisesHoldWhereTheyDo) {
  const Case one = case_of_text(succeeds, "exemplary");
  for (const char* schedule : {"random:1", "random:2", "pct:1:0", "pct:2:3", "s", "ba"}) {
    for (const auto& run : play(one, schedule, 2)) {
      EXPECT_NE(passings(run.history), "") << schedule;
      for (const auto& [oracle, verdict] : run.verdicts) {
        EXPECT_TRUE(verdict.outcome == Outcome::held || verdict.outcome == Outcome::skipped)
            << schedule << " " << oracle << ": " << verdict.because;
      }
    }
  }
}

TEST_F(OrderTest, ADefectThatIsAMatterOfOrderIsFoundWithItsCriticalPair) {
  OrderSearch search;
  search.orders = 10, search.most_changes = 1;
  std::optional<run::FinishedRun> broken;
  const Case one = case_of_text(refused, "airflow-issue-patch");
  const auto surveys = survey_orders(pool_, one, search, [](const std::string&) {}, &broken);
  ASSERT_TRUE(broken);
  const OrderFound found = nearest_that_holds(pool_, *broken, "state-reported", search, [](const std::string&) {});
  EXPECT_EQ(found.breaking.broken, found.breaking.runs);
  EXPECT_EQ(found.holding.held, found.holding.runs);
  ASSERT_EQ(found.exchanges.size(), 1U);
  EXPECT_EQ(found.exchanges[0].sooner.point, "forked");
  EXPECT_EQ(found.exchanges[0].later.point, "signalling");
}

TEST_F(OrderTest, TheRightTwinHoldsInEveryOrder) {
  OrderSearch search;
  search.orders = 10, search.most_changes = 1;
  std::optional<run::FinishedRun> broken;
  for (const Survey& each : survey_orders(pool_, case_of_text(refused, "exemplary"), search, [](const std::string&) {}, &broken)) {
    EXPECT_EQ(each.broken, 0U) << each.kind;
    EXPECT_EQ(each.unknown, 0U) << each.kind;
  }
}

}  // namespace
}  // namespace forkproof::fuzz
