// Merging campaigns is a function of the set of their documents.
#include "harness/fuzz/campaign_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include <set>

#include "harness/core/error.h"
#include "harness/fuzz/campaign.h"

namespace forkproof::fuzz {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A shard that ran so many of its cases, and broke a promise in these (by their place in the shard).
Json shard_of(std::uint64_t shard, std::uint64_t shards, std::uint64_t cases, const std::vector<std::uint64_t>& broken = {},
              std::uint64_t seed = 1, bool interrupted = false, std::uint64_t wall_ms = 100) {
  Json one{{"kind", "fuzz"}, {"profile", "exemplary"}, {"backends", {"fork"}}, {"hazards", false}, {"seed", seed}, {"version", "0.1.0"},
           {"plan", "af64724c8602eb6e"}, {"shard", shard}, {"shards", shards}, {"cases_asked", nullptr}, {"cases", cases},
           {"skipped", Json::object()}, {"skipped_cases", Json::object()}, {"unfinished", Json::array()},
           {"coverage", {{"setsid", cases / 2}}}, {"breaks", Json::array()}, {"unknowns", Json::array()},
           {"interrupted", interrupted}, {"wall_ms", wall_ms}};
  for (const std::uint64_t place : broken) {
    one["breaks"].push_back({{"case", place * shards + shard - 1}, {"oracle", "no-orphans"}, {"backend", "fork"}, {"because", "it lives on"}});
  }
  return one;
}

std::string document(std::uint64_t shard, std::uint64_t shards, std::uint64_t cases, const std::vector<std::uint64_t>& broken = {},
                     std::uint64_t seed = 1, bool interrupted = false, std::uint64_t wall_ms = 100) {
  return shard_of(shard, shards, cases, broken, seed, interrupted, wall_ms).dump();
}

/// With other values in place of these.
std::string with(Json one, const Json& values) {
  one.update(values);
  return one.dump();
}

std::string any_document() {
  const std::uint64_t shards = *rc::gen::inRange<std::uint64_t>(1, 5), shard = *rc::gen::inRange<std::uint64_t>(1, shards + 1);
  const std::uint64_t begun = *rc::gen::inRange<std::uint64_t>(0, 20);
  const bool interrupted = *rc::gen::arbitrary<bool>();
  std::vector<std::uint64_t> broken, skipped, unfinished;
  for (std::uint64_t place = 0; place < begun; ++place) {
    const int fate = *rc::gen::inRange(0, 12);
    if (fate == 0) skipped.push_back(place * shards + shard - 1);
    else if (fate == 1 && interrupted) unfinished.push_back(place * shards + shard - 1);
    else if (fate < 4) broken.push_back(place);
  }
  const std::uint64_t cases = begun - skipped.size() - unfinished.size();
  Json values{{"skipped_cases", {{"have no gobjc", skipped}}}, {"unfinished", unfinished}, {"cases", cases}};
  if (*rc::gen::arbitrary<bool>()) values["cases_asked"] = *rc::gen::inRange<std::uint64_t>(0, 60);
  return with(shard_of(shard, shards, cases, broken, *rc::gen::inRange<std::uint64_t>(1, 3), interrupted, *rc::gen::inRange<std::uint64_t>(1, 4)), values);
}

std::vector<std::string> any_documents() {
  std::vector<std::string> all;
  const int count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i) all.push_back(any_document());
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

/// Counted one by one: seed and case of what a document says was run.
std::set<std::pair<std::uint64_t, std::uint64_t>> cases_run_in(const std::string& text) {
  const Json one = Json::parse(text);
  const std::uint64_t shard = one["shard"], shards = one["shards"];
  std::set<std::uint64_t> not_run;
  for (const auto& [reason, list] : one["skipped_cases"].items()) not_run.insert(list.begin(), list.end());
  not_run.insert(one["unfinished"].begin(), one["unfinished"].end());
  std::set<std::pair<std::uint64_t, std::uint64_t>> run;
  for (std::uint64_t index = shard - 1; run.size() < one["cases"]; index += shards) {
    if (!not_run.contains(index)) run.emplace(one["seed"], index);
  }
  return run;
}

RC_GTEST_PROP(MergeCampaigns, ACaseAndABreakCountOnceHoweverTheyWereSharedOut, ()) {
  const std::vector<std::string> all = any_documents();
  std::set<std::pair<std::uint64_t, std::uint64_t>> cases, broken;
  for (const std::string& each : all) {
    cases.merge(cases_run_in(each));
    const Json one = Json::parse(each);
    for (const Json& find : one["breaks"]) broken.emplace(one["seed"], find["case"]);
  }
  const MergedCampaigns merged = merge_campaigns(all);
  RC_ASSERT(merged.cases == cases.size());
  RC_ASSERT(merged.breaks == broken.size());
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
  EXPECT_THAT(merge_campaigns({document(2, 3, 10)}).gaps,
              ElementsAre("shards 1, 3 of 3 are missing (profile exemplary, seed 1, plan af64724c8602eb6e)"));
}

TEST(MergeCampaigns, AllOfItAndItsHalvesAreTheSameCases) {
  const MergedCampaigns merged = merge_campaigns({document(1, 1, 10, {3}), document(1, 2, 5), document(2, 2, 5, {1})});
  EXPECT_EQ(merged.cases, 10U);
  EXPECT_EQ(merged.breaks, 1U);
  EXPECT_THAT(merged.gaps, IsEmpty());
  EXPECT_EQ(Json::parse(merged.document)["coverage"]["setsid"], 5);
}

TEST(MergeCampaigns, AShardThatIsMissingIsNotWhereAnotherHoldsItsCases) {
  EXPECT_THAT(merge_campaigns({document(1, 2, 5), document(2, 4, 5), document(4, 4, 5)}).gaps, IsEmpty());
  EXPECT_THAT(merge_campaigns({document(1, 2, 5), document(2, 4, 5)}).gaps, ElementsAre(HasSubstr("shard 4 of 4 is missing")));
}

TEST(MergeCampaigns, CasesThatWereAskedForAndRunByNobodyAreAGap) {
  const auto asked = [](std::uint64_t shard, std::uint64_t cases, std::uint64_t all) {
    return with(shard_of(shard, 2, cases), {{"cases_asked", all}});
  };
  EXPECT_THAT(merge_campaigns({asked(1, 50, 100), asked(2, 50, 100)}).gaps, IsEmpty());
  const MergedCampaigns merged = merge_campaigns({asked(1, 50, 100), asked(2, 5, 10)});
  EXPECT_THAT(merged.gaps, ElementsAre(HasSubstr("45 of 100 cases were run by nobody")));
  EXPECT_EQ(merged.cases, 55U);
  EXPECT_THAT(merge_campaigns({asked(1, 50, 100)}).gaps, ElementsAre(HasSubstr("shard 2 of 2 is missing: 50 of 100 cases")));
}

TEST(MergeCampaigns, AskedForMoreOfTheSameItCountsWhatWasRunBeforeOnce) {
  const MergedCampaigns merged =
      merge_campaigns({with(shard_of(1, 1, 10, {3}), {{"cases_asked", 10}}), with(shard_of(1, 1, 100, {3}), {{"cases_asked", 100}})});
  EXPECT_EQ(merged.cases, 100U);
  EXPECT_EQ(merged.breaks, 1U);
  EXPECT_THAT(merged.gaps, IsEmpty());
}

TEST(MergeCampaigns, WhatAnotherProgramInventsIsAnotherCampaign) {
  const MergedCampaigns merged = merge_campaigns({document(1, 2, 10), with(shard_of(2, 2, 10), {{"plan", "0000000000000000"}})});
  EXPECT_THAT(merged.gaps, ElementsAre(HasSubstr("shard 1 of 2 is missing"), HasSubstr("shard 2 of 2 is missing")));
  EXPECT_THAT(merge_campaigns({document(1, 2, 10), with(shard_of(2, 2, 10), {{"version", "0.2.0"}})}).gaps, SizeIs(2));
}

TEST(MergeCampaigns, AShardThatWasRunTwiceCountsItsCasesOnce) {
  const MergedCampaigns merged = merge_campaigns({document(1, 1, 10, {3}), document(1, 1, 20, {3, 15})});
  EXPECT_EQ(merged.cases, 20U);
  EXPECT_EQ(merged.breaks, 2U);
  EXPECT_THAT(merged.gaps, IsEmpty());  // the first had not come to 15
}

TEST(MergeCampaigns, ACaseThatBreaksSomethingElseTheSecondTimeIsAConflict) {
  EXPECT_THAT(merge_campaigns({document(1, 1, 10, {3}), document(1, 1, 20)}).gaps,
              ElementsAre(HasSubstr("conflict: case 3 was run 2 times, and broke no-orphans in 1 of them (profile")));
}

TEST(MergeCampaigns, ACopyThatDiffersFromTheSecondOnlyIsAConflictToo) {
  // The first came to case 3 only, the others to 15.
  EXPECT_THAT(merge_campaigns({document(1, 1, 4), document(1, 1, 20, {15}), document(1, 1, 21)}).gaps, ElementsAre(HasSubstr("conflict: case 15")));
}

TEST(MergeCampaigns, WhatOneHasSkippedOrNotFinishedIsNoConflict) {
  const std::string skipped = with(shard_of(1, 1, 9), {{"skipped", {{"have no gobjc", 1}}}, {"skipped_cases", {{"have no gobjc", {3}}}}});
  const std::string unfinished = with(shard_of(1, 1, 9), {{"unfinished", {3}}, {"interrupted", true}});
  const MergedCampaigns merged = merge_campaigns({document(1, 1, 10, {3}), skipped, unfinished});
  EXPECT_THAT(merged.gaps, IsEmpty());
  EXPECT_EQ(merged.cases, 10U);
  EXPECT_TRUE(Json::parse(merged.document)["skipped"].empty());
  EXPECT_EQ(Json::parse(merge_campaigns({skipped}).document)["skipped"]["have no gobjc"], 1);
}

TEST(MergeCampaigns, OneCaseOfWhichTwoPromisesCouldNotBeToldIsOneCase) {
  Json one = shard_of(1, 1, 10);
  for (const char* oracle : {"no-orphans", "no-zombies"}) one["unknowns"].push_back({{"case", 3}, {"oracle", oracle}, {"because", "no census"}});
  const MergedCampaigns merged = merge_campaigns({one.dump()});
  EXPECT_EQ(merged.unknowns, 1U);
  EXPECT_THAT(merged.text, HasSubstr("unknown in 1 case\n"));
}

TEST(MergeCampaigns, WhatWasCutOffIsHealedByACopyThatWasNot) {
  EXPECT_TRUE(merge_campaigns({document(1, 1, 3, {}, 1, true)}).interrupted);
  EXPECT_FALSE(merge_campaigns({document(1, 1, 3, {}, 1, true), document(1, 1, 10)}).interrupted);
}

TEST(MergeCampaigns, WhereTheHarnessFailedItWasCutOff) {
  EXPECT_TRUE(merge_campaigns({with(shard_of(1, 1, 3), {{"failure", "fork: Cannot allocate memory"}})}).interrupted);
}

TEST(MergeCampaigns, ReadsWhatACampaignWrites) {
  CampaignResult result;
  result.profile = "exemplary", result.backends = {"fork"}, result.plan = "p", result.cases = 3, result.cases_asked = 5;
  result.skipped["have no gobjc"] = 1, result.skipped_cases["have no gobjc"] = {2};
  result.unfinished = {4}, result.interrupted = true;
  const MergedCampaigns merged = merge_campaigns({to_document(result)});
  EXPECT_EQ(merged.cases, 3U);
  EXPECT_TRUE(merged.interrupted);
  EXPECT_THAT(merged.gaps, IsEmpty());
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
}

TEST(MergeCampaigns, WhatIsOfAnotherTypeOrTooManyIsRefused) {
  const Json bad = {{{"profile", 7}}, {{"backends", {7}}}, {{"hazards", 1}}, {{"seed", -1}}, {{"version", 1}}, {{"plan", nullptr}},
                    {{"shard", 3}}, {{"shards", 300000000}}, {{"shards", 0}}, {{"cases", 1e30}}, {{"cases", 2000000000000000000}},
                    {{"cases_asked", "all"}}, {{"skipped_cases", {1}}}, {{"skipped_cases", {{"x", {3}}}}}, {{"unfinished", {999}}},
                    {{"coverage", {{"setsid", "x"}}}}, {{"breaks", 1}}, {{"breaks", {1}}}, {{"interrupted", "no"}}, {{"wall_ms", -1}},
                    {{"breaks", {{{"case", 3}, {"oracle", "no-orphans"}, {"because", "it is of shard 2"}}}}},
                    {{"breaks", {{{"case", 8}, {"oracle", 7}, {"because", "x"}}}}}, {{"breaks", {{{"case", 800}, {"oracle", "x"}, {"because", "not run"}}}}}};
  for (const Json& values : bad) EXPECT_THROW(merge_campaigns({with(shard_of(1, 2, 10), values)}), BadInput) << values;
  Json old = shard_of(1, 2, 10);
  old.erase("cases_asked");
  EXPECT_THROW(merge_campaigns({old.dump()}), BadInput);
}

}  // namespace
}  // namespace forkproof::fuzz
