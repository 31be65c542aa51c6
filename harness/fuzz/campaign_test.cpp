#include "harness/fuzz/campaign.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

namespace forkproof::fuzz {
namespace {

class Campaigns : public ::testing::Test {
 protected:
  /// Without what acts inside the subject: there the task would be this program, which cannot play one.
  static Space played_by_the_task_program(const std::string& profile, const std::string& backend) {
    Space space = space_over(profile, {backend}, false);
    space.survivable.clear();
    return space;
  }
  static void SetUpTestSuite() { ::setenv("FORKPROOF_SCENARIOS", FORKPROOF_SOURCE "/scenarios", 1); }
};

TEST_F(Campaigns, ShardsAreTheWholeAndHoldNoCaseTwice) {
  const Space space = played_by_the_task_program("exemplary", "vfork-exec");
  const arena::Provision provision = arena::provide(std::nullopt);
  std::uint64_t cases = 0;
  std::set<std::string> plans;
  for (std::uint64_t shard = 1; shard <= 3; ++shard) {
    CampaignOptions options;
    options.shard = shard, options.shards = 3, options.cases = 10, options.jobs = 2;
    const CampaignResult result = campaign(space, options, provision, {});
    EXPECT_EQ(result.cases, shard == 1 ? 4U : 3U);
    cases += result.cases;
    EXPECT_TRUE(result.unfinished.empty());
    plans.insert(result.plan);
  }
  EXPECT_EQ(cases, 10U);
  EXPECT_EQ(plans.size(), 1U) << "they are told to be of one list of cases";
}

TEST_F(Campaigns, AShardPlaysItsOwnCasesAndEachIsPlayedByOne) {
  const Space space = played_by_the_task_program("airflow-3.2.0", "fork-exec");
  const arena::Provision provision = arena::provide(std::nullopt);
  const auto played_by = [&](std::uint64_t shard, std::uint64_t shards) {
    CampaignOptions options;
    options.shard = shard, options.shards = shards, options.cases = 24, options.jobs = 2;
    return campaign(space, options, provision, {});
  };
  // Which cases were played is told by their words and by what broke. Some break in one run and not in the next.
  std::map<std::string, std::uint64_t> words;
  std::size_t breaks = 0;
  for (std::uint64_t shard = 1; shard <= 3; ++shard) {
    const CampaignResult result = played_by(shard, 3);
    for (const auto& [word, cases] : result.coverage) words[word] += cases;
    for (const Break& each : result.breaks) EXPECT_EQ(each.index % 3, shard - 1);
    breaks += result.breaks.size();
  }
  EXPECT_GT(breaks, 0U);
  EXPECT_EQ(words, played_by(1, 1).coverage);
}

/// The twin of every campaign that finds nothing: a supervisor with known defects, and the same pipeline finds them.
TEST_F(Campaigns, FindsWhatAirflowBroke) {
  const Space space = played_by_the_task_program("airflow-3.2.0", "fork-exec");
  CampaignOptions options;
  options.cases = 40, options.jobs = 2;
  std::set<std::uint64_t> told;
  Watcher watcher;
  watcher.found = [&told](const std::vector<Break>& broken, const History& history) {
    EXPECT_GT(history.size(), 0U);
    told.insert(broken.front().index);
  };
  const CampaignResult result = campaign(space, options, arena::provide(std::nullopt), watcher);
  std::set<std::uint64_t> found;
  for (const Break& each : result.breaks) found.insert(each.index);
  EXPECT_FALSE(found.empty());
  EXPECT_EQ(found, told);
}

}  // namespace
}  // namespace forkproof::fuzz
