#include "harness/fuzz/hunt.h"

#include <gtest/gtest.h>

#include "harness/fuzz/planted.h"

namespace forkproof::fuzz {
namespace {

class Hunt : public ::testing::Test {
 protected:
  static Space space() {
    Space space = space_over("airflow-3.2.0", {"fork-exec"}, false);
    space.survivable.clear();  // there the task would be this program, which cannot play one
    return space;
  }
  static void SetUpTestSuite() { ::setenv("FORKPROOF_SCENARIOS", FORKPROOF_SOURCE "/scenarios", 1); }
  const arena::Provision provision_ = arena::provide(std::nullopt);
  run::RunPool pool_{provision_, 2};
};

TEST_F(Hunt, EndsAtTheFirstCaseThatBreaksAnything) {
  const auto found = hunt(space(), 7, pool_, {});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->verdict.outcome, Outcome::broken);
  EXPECT_GE(found->cases, 1U);
  EXPECT_TRUE(pool_.idle());
}

TEST_F(Hunt, GoesOnUntilThePromiseThatIsMeantBreaks) {
  const auto any = hunt(space(), 7, pool_, {});
  ASSERT_TRUE(any.has_value());
  HuntLimits limits;
  limits.oracle = "state-reported";
  const auto meant = hunt(space(), 7, pool_, limits);
  ASSERT_TRUE(meant.has_value());
  EXPECT_EQ(meant->oracle, "state-reported");
  EXPECT_GE(meant->cases, any->cases);
}

TEST_F(Hunt, FindsNothingWhereThereIsNothing) {
  HuntLimits limits;
  limits.cases = 10;
  limits.oracle = "no-zombies";  // airflow reaps
  EXPECT_FALSE(hunt(space(), 7, pool_, limits).has_value());
}

TEST(SeedDefects, AreEachHuntedByAPromiseThatThereIs) {
  const auto oracles = run::vocabulary().oracles;
  for (const SeedDefect& each : seed_defects()) {
    EXPECT_NE(std::find(oracles.begin(), oracles.end(), each.oracle), oracles.end()) << each.name;
    EXPECT_FALSE(each.source.empty());
  }
}

}  // namespace
}  // namespace forkproof::fuzz
