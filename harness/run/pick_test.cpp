#include "harness/run/pick.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace forkproof::run {
namespace {

std::string go(Pick pick, const std::vector<std::string>& waiting) {
  std::string went;
  for (const std::string& each : waiting) went += pick.next(each);
  return went;
}

TEST(Pick, LettersAreOneADecisionAndNoneWhereOneWaits) {
  EXPECT_EQ(go({ExplicitOrder{"as"}, 9}, {"s", "sa", "a", "sa"}), "saas");
}

TEST(Pick, WhereTheLetterDoesNotWaitTheFirstGoes) {
  EXPECT_EQ(go({ExplicitOrder{"c.b"}, 9}, {"sab", "sab", "sab"}), "ssb");
}

TEST(Pick, WhenTheLettersAreOverTheFirstGoes) {
  EXPECT_EQ(go({ExplicitOrder{"b"}, 9}, {"ab", "ab", "sb"}), "bas");
  EXPECT_EQ(go({AsItComes{}, 9}, {"ab", "sb"}), "as");
}

TEST(Pick, CountsStepsAndDecisions) {
  Pick pick(ExplicitOrder{"as"}, 9);
  for (const char* each : {"s", "sa", "a", "sa"}) (void)pick.next(each);
  EXPECT_EQ(pick.steps(), 4);
  EXPECT_EQ(pick.decisions(), 2);
}

TEST(Pick, RandomTakesEveryoneInItsTime) {
  std::map<char, int> went;
  for (std::uint64_t seed = 0; seed < 300; ++seed) ++went[Pick(RandomOrder{seed}, 9).next("sab")];
  for (const char letter : {'s', 'a', 'b'}) EXPECT_GT(went[letter], 60) << letter;
}

TEST(Pct, WithoutChangesThePriorityDecidesThroughout) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string went = go({PctOrder{seed, 0}, 9}, {"sab", "sab", "sab", "sab"});
    EXPECT_EQ(went, std::string(4, went.front())) << seed;
  }
}

TEST(Pct, EveryoneIsHighestForSomeSeed) {
  std::map<char, int> went;
  for (std::uint64_t seed = 0; seed < 300; ++seed) ++went[Pick(PctOrder{seed, 0}, 9).next("sab")];
  for (const char letter : {'s', 'a', 'b'}) EXPECT_GT(went[letter], 60) << letter;
}

TEST(Pct, AtAChangeWhoWouldHaveGoneDropsBelowAll) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::uint64_t change = *change_steps(seed, 1, 4).begin();
    const std::string went = go({PctOrder{seed, 1}, 4}, std::vector<std::string>(6, "sab"));
    EXPECT_EQ(went.substr(0, change - 1), std::string(change - 1, Pick(PctOrder{seed, 0}, 4).next("sab"))) << seed;
    EXPECT_NE(went[change - 1], Pick(PctOrder{seed, 0}, 4).next("sab")) << seed;
    EXPECT_EQ(went.substr(change - 1), std::string(7 - change, went[change - 1])) << seed;
  }
}

TEST(Pct, WhoDroppedLaterIsLowerThanWhoDroppedBefore) {
  Pick pick(PctOrder{3, 2}, 2);  // both steps are changes
  const char first = pick.next("sa"), second = pick.next("sa");
  EXPECT_NE(first, second);
  EXPECT_EQ(pick.next("sa"), second);
}

TEST(Pct, ChangesAreDifferentStepsOfThoseThereAre) {
  EXPECT_EQ(change_steps(1, 3, 20).size(), 3U);
  EXPECT_EQ(change_steps(1, 9, 4).size(), 4U);
  EXPECT_TRUE(change_steps(1, 0, 20).empty());
  for (const std::uint64_t step : change_steps(7, 10, 20)) EXPECT_TRUE(step >= 1 && step <= 20) << step;
}

// The same numbers on every machine and in every build: a schedule is part of a saved case.
TEST(Pct, IsAPureFunctionOfTheSeed) {
  EXPECT_EQ(first_priority(1, 's'), first_priority(1, 's'));
  EXPECT_NE(first_priority(1, 's'), first_priority(2, 's'));
  EXPECT_NE(first_priority(1, 's'), first_priority(1, 'a'));
  EXPECT_EQ(change_steps(5, 2, 30), change_steps(5, 2, 30));
}

RC_GTEST_PROP(Pick, TheSameQuestionsHaveTheSameAnswersAndTheyAreAmongThoseWhoWait, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto changes = *rc::gen::inRange<std::uint64_t>(0, 5);
  const Schedule schedule = *rc::gen::elementOf(
      std::vector<Schedule>{AsItComes{}, RandomOrder{seed}, PctOrder{seed, changes}, ExplicitOrder{"abcs.ab"}});
  const auto waiting = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"s", "a", "sa", "ab", "sabc", "bc"}));
  const std::string went = go({schedule, 12}, waiting);
  RC_ASSERT(went == go({schedule, 12}, waiting));
  for (std::size_t i = 0; i < waiting.size(); ++i) RC_ASSERT(waiting[i].find(went[i]) != std::string::npos);
}

// What was decided is what a history keeps: played again as letters, it is the same order.
RC_GTEST_PROP(Pick, ItsDecisionsAsLettersMakeTheSameOrder, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const Schedule schedule = *rc::gen::elementOf(std::vector<Schedule>{RandomOrder{seed}, PctOrder{seed, 3}});
  const auto waiting = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"s", "a", "sa", "ab", "sabc", "bc"}));
  const std::string went = go({schedule, 12}, waiting);
  std::string letters;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i].size() > 1) letters += went[i];
  }
  RC_ASSERT(went == go({schedule_from(letters), 12}, waiting));
}

}  // namespace
}  // namespace forkproof::run
