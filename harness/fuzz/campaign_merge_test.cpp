// Merging campaigns is a function of the set of their documents.
#include "harness/fuzz/campaign_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "harness/core/error.h"

namespace forkproof::fuzz {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A shard that ran so many of its cases, and broke a promise in these.
std::string document(std::uint64_t shard, std::uint64_t shards, std::uint64_t cases, const std::vector<std::uint64_t>& broken = {},
                     std::uint64_t seed = 1, bool interrupted = false, std::uint64_t wall_ms = 100) {
  Json one{{"kind", "fuzz"}, {"profile", "exemplary"}, {"backends", {"fork"}}, {"hazards", false}, {"seed", seed}, {"shard", shard},
           {"shards", shards}, {"cases", cases}, {"skipped", Json::object()}, {"coverage", {{"setsid", cases / 2}}},
           {"breaks", Json::array()}, {"unknowns", Json::array()}, {"interrupted", interrupted}, {"wall_ms", wall_ms}};
  for (const std::uint64_t index : broken) {
    one["breaks"].push_back({{"case", index * shards + shard - 1}, {"oracle", "no-orphans"}, {"backend", "fork"}, {"because", "it lives on"}});
  }
  return one.dump();
}

std::vector<std::string> any_documents() {
  std::vector<std::string> all;
  const int count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t shards = *rc::gen::inRange<std::uint64_t>(1, 4), shard = *rc::gen::inRange<std::uint64_t>(1, shards + 1);
    const std::uint64_t cases = *rc::gen::inRange<std::uint64_t>(0, 20);
    std::vector<std::uint64_t> broken;
    for (std::uint64_t each = 0; each < cases; ++each) {
      if (*rc::gen::inRange(0, 6) == 0) broken.push_back(each);
    }
    all.push_back(document(shard, shards, cases, broken, *rc::gen::inRange<std::uint64_t>(1, 3), *rc::gen::arbitrary<bool>(),
                           *rc::gen::inRange<std::uint64_t>(1, 4)));
  }
  return all;
}

std::vector<std::string> some_of(const std::vector<std::string>& all) {
  std::vector<std::string> some{all.front()};
  for (const std::string& each : all) {
    if (*rc::gen::arbitrary<bool>()) some.push_back(each);
  }
  return some;
}

RC_GTEST_PROP(MergeCampaigns, TheOrderCountsForNothingAndTheSameTwiceCountsOnce, ()) {
  std::vector<std::string> all = any_documents();
  const std::string whole = merge_campaigns(all).document;
  const std::vector<std::string> again = all;
  all.insert(all.end(), again.begin(), again.end());
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[*rc::gen::inRange<std::size_t>(0, i)]);
  RC_ASSERT(merge_campaigns(all).document == whole);
  RC_ASSERT(merge_campaigns({whole, whole}).document == whole);
}

RC_GTEST_PROP(MergeCampaigns, IsAssociative, ()) {
  const auto all = any_documents();
  const auto a = some_of(all), b = some_of(all), c = some_of(all);
  const auto merged = [](const std::vector<std::string>& documents) { return merge_campaigns(documents).document; };
  RC_ASSERT(merged({merged({merged(a), merged(b)}), merged(c)}) == merged({merged(a), merged({merged(b), merged(c)})}));
}

TEST(MergeCampaigns, ShardsAddUp) {
  const MergedCampaigns merged = merge_campaigns({document(2, 2, 10, {3}), document(1, 2, 11)});
  EXPECT_EQ(merged.cases, 21U);
  EXPECT_EQ(merged.breaks, 1U);
  EXPECT_THAT(merged.gaps, IsEmpty());
  EXPECT_FALSE(merged.interrupted);
  EXPECT_THAT(merged.text, HasSubstr("exemplary, seed 1, case 7: no-orphans"));
  EXPECT_EQ(Json::parse(merged.document)["coverage"]["setsid"], 10);
}

TEST(MergeCampaigns, AMissingShardIsSaid) {
  EXPECT_THAT(merge_campaigns({document(2, 3, 10)}).gaps, ElementsAre("shards missing of 3 (profile \"exemplary\", seed 1): 1, 3"));
}

TEST(MergeCampaigns, AShardThatWasRunTwiceCountsItsCasesOnce) {
  const MergedCampaigns merged = merge_campaigns({document(1, 1, 10, {3}), document(1, 1, 20, {3, 15})});
  EXPECT_EQ(merged.cases, 20U);
  EXPECT_EQ(merged.breaks, 2U);
  EXPECT_THAT(merged.gaps, IsEmpty());  // the first had not come to 15
}

TEST(MergeCampaigns, AShardThatBreaksSomethingElseTheSecondTimeIsAConflict) {
  EXPECT_THAT(merge_campaigns({document(1, 1, 10, {3}), document(1, 1, 20)}).gaps,
              ElementsAre("conflict: shard 1/1 was run twice, and case 3 broke no-orphans in one of the two"));
}

TEST(MergeCampaigns, WhatWasCutOffIsHealedByACopyThatWasNot) {
  EXPECT_TRUE(merge_campaigns({document(1, 1, 3, {}, 1, true)}).interrupted);
  EXPECT_FALSE(merge_campaigns({document(1, 1, 3, {}, 1, true), document(1, 1, 10)}).interrupted);
}

TEST(MergeCampaigns, CampaignsOfOtherSeedsStandSideBySide) {
  const MergedCampaigns merged = merge_campaigns({document(1, 1, 10, {}, 1), document(1, 1, 10, {}, 2)});
  EXPECT_EQ(merged.cases, 20U);
  EXPECT_TRUE(Json::parse(merged.document)["seed"].is_null());
}

TEST(MergeCampaigns, KnowsItsOwnAndRefusesTheRest) {
  EXPECT_TRUE(is_campaign(document(1, 1, 1)));
  EXPECT_TRUE(is_campaign(merge_campaigns({document(1, 1, 1)}).document));
  EXPECT_FALSE(is_campaign("{\"arena\": \"sealed\"}"));
  EXPECT_FALSE(is_campaign("{"));
  EXPECT_THROW(merge_campaigns({"{\"kind\": \"fuzz\"}"}), BadInput);
  EXPECT_THROW(merge_campaigns({document(3, 2, 1)}), BadInput);
  Json other = Json::parse(document(1, 2, 5, {1}));
  other["breaks"][0]["case"] = 3;  // of shard 2
  EXPECT_THROW(merge_campaigns({other.dump()}), BadInput);
}

}  // namespace
}  // namespace forkproof::fuzz
