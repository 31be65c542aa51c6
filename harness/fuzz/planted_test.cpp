#include "harness/fuzz/planted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/fuzz/prove.h"

namespace forkproof::fuzz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(PlantedDefects, AreAllTheWrongValuesAndNoOthers) {
  std::size_t wrong = 0;
  for (const Knob& knob : knobs()) {
    for (const KnobValue& value : knob.values) wrong += value.worth == Worth::wrong ? 1 : 0;
  }
  const auto planted = planted_defects();
  EXPECT_EQ(planted.size(), wrong);
  for (const Planted& each : planted) EXPECT_FALSE(each.right.empty()) << each.name() << " has no right twin";
}

TEST(PlantedDefects, DifferFromExemplaryInOneKnob) {
  const Profile right = exemplary_profile();
  for (const Planted& each : planted_defects()) {
    const Profile wrong = with_knob(right, each.knob, each.word);
    EXPECT_NE(wrong, right) << each.name();
    EXPECT_EQ(with_knob(wrong, each.knob, each.right), right) << each.name();
  }
  EXPECT_THROW((void)with_knob(right, "no-such", "knob"), BadInput);
}

TEST(CatalogueCells, AreThoseThatExemplaryIsExpectedToHold) {
  const auto cells = catalogue_cells({"fork", "posix-spawn"});
  ASSERT_THAT(cells, Not(IsEmpty()));
  for (const CatalogueCell& each : cells) {
    const run::Cell& cell = each.cell;
    EXPECT_TRUE(cell.one.profile_name().starts_with("exemplary"));
    EXPECT_THAT(cell.expected, IsEmpty());
    EXPECT_TRUE(cell.one.backend_name() == "fork" || cell.one.backend_name() == "posix-spawn");
    EXPECT_THAT(each.policies, Contains("signal_scope=task-tree"));
  }
}

TEST(CatalogueCells, WithAKnobHaveTheTimesThatItDeclares) {
  const run::Cell cell = catalogue_cells({"fork"}).front().cell;
  const run::Cell planted = with_knob(cell, "on_cleanup_timeout", "wait-for-ever");
  EXPECT_LT(planted.one.bounds.teardown, cell.one.bounds.teardown);  // it declares no wait for its channels
  EXPECT_EQ(planted.one.tree, cell.one.tree);
  EXPECT_EQ(planted.one.bounds.startup, cell.one.bounds.startup);
}

Quarry quarry(std::uint64_t cases) { return {{}, "no-orphans", {}, cases, std::chrono::milliseconds(7)}; }

TEST(Hunts, TheirMedianIsTheMiddleOne) {
  Hunts hunts;
  EXPECT_FALSE(hunts.median_cases());
  hunts.seeds = 3, hunts.found = {quarry(9), quarry(1), quarry(4)};
  EXPECT_EQ(hunts.median_cases(), 4);
  hunts.seeds = 4, hunts.found.push_back(quarry(5));
  EXPECT_EQ(hunts.median_cases(), 4.5);
  EXPECT_EQ(hunts.median_time(), std::chrono::milliseconds(7));
}

TEST(Hunts, ASeedThatFoundNothingTookLongest) {
  Hunts hunts;
  hunts.seeds = 5, hunts.found = {quarry(9), quarry(1), quarry(4)};
  EXPECT_EQ(hunts.median_cases(), 9);
  hunts.seeds = 6;
  EXPECT_FALSE(hunts.median_cases()) << "half of them found nothing";
  EXPECT_FALSE(hunts.median_time());
}

/// A proof without a flaw: one defect, and every oracle has caught it.
Proof good_proof() {
  Proof proof;
  proof.canary_failed = true;
  DefectProof& defect = proof.defects.emplace_back();
  defect.defect = planted_defects().front();
  defect.caught_by.push_back({"a-scenario", "fork", {"no-orphans"}});
  defect.hunts = {.seeds = 1, .found = {quarry(3)}};
  for (const auto& key : run::vocabulary().oracles) proof.killed[key].insert(defect.defect.name());
  proof.seeds.push_back({"an orphan", "airflow#65505", "no-orphans", quarry(2)});
  return proof;
}

TEST(Flaws, AProofThatStandsHasNone) { EXPECT_THAT(flaws(good_proof()), IsEmpty()); }

TEST(Flaws, ACanaryThatHeldIsOne) {
  Proof proof = good_proof();
  proof.canary_failed = false;
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("canary")));
}
TEST(Flaws, ARightTwinThatBreaksIsOne) {
  Proof proof = good_proof();
  proof.twins_broken = {"heartbeat-409 / fork: no-orphans"};
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("exemplary breaks heartbeat-409")));
  proof = good_proof();
  proof.defects.front().twin_flaw = "breaks no-zombies";
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("no-zombies")));
}
TEST(Flaws, ADefectThatNobodyCatchesIsOne) {
  Proof proof = good_proof();
  proof.defects.front().caught_by.clear();
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("no scenario")));
  proof = good_proof();
  proof.defects.front().hunts.found.clear();
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("with 0 of 1 seeds")));
}
TEST(Flaws, APromiseThatCatchesNothingIsOneUnlessItCannot) {
  Proof proof = good_proof();
  proof.killed.erase("no-zombies");
  proof.killed.erase("orphan-ends");
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("no-zombies")));
  EXPECT_FALSE(why_it_cannot("orphan-ends").empty());
}
TEST(Flaws, ARealDefectThatIsNotFoundIsOne) {
  Proof proof = good_proof();
  proof.seeds.push_back({"a loop of crashes", "gunicorn#3021", "no-crash-loop", std::nullopt});
  EXPECT_THAT(flaws(proof), ElementsAre(HasSubstr("a loop of crashes")));
}

TEST(Canary, BreaksAPromise) {
  const arena::Provision provision = arena::provide();
  run::RunPool pool(provision, 1);
  EXPECT_EQ(text(measure(canary(), "no-orphans", 2, pool)), "2 of 2");
}

}  // namespace
}  // namespace forkproof::fuzz
