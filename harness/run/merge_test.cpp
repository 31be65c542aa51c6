// Merging is a function of the set of runs: properties over generated results, and the sentences that people read.
#include "harness/run/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <sstream>

#include "harness/core/error.h"

namespace forkproof::run {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CellSummary cell_at(std::uint64_t place, CellOutcome outcome = CellOutcome::as_expected) {
  CellSummary cell;
  cell.one.scenario = "s" + std::to_string(place);
  ModelSupervisor model;
  model.profile.name = "exemplary", model.backend = "fork";
  cell.one.subject = model;
  cell.place = place;
  cell.runs_wanted = cell.runs = 1;
  cell.outcome = outcome;
  cell.unexpected_runs = outcome == CellOutcome::not_as_expected || outcome == CellOutcome::unknown;
  cell.unknown_runs = outcome == CellOutcome::unknown;
  cell.oracles["no-orphans"] = {outcome == CellOutcome::not_as_expected ? broken("helper lives on", {}) : held("nobody is left"),
                                outcome == CellOutcome::not_as_expected, 0};
  cell.wall = std::chrono::milliseconds(1);
  if (outcome != CellOutcome::skipped) cell.endings = {{place, std::chrono::milliseconds(2), WaitStatus::exited_with(0)}};
  return cell;
}

/// One machine's share of a plan of `cells`, all as expected.
RunSummary part_of_plan(const std::string& run, std::uint64_t index, std::uint64_t count, std::uint64_t cells = 6,
                        const std::string& plan = "p") {
  RunSummary part;
  part.arena = "sealed", part.cgroup = true;
  part.oracles = {"no-orphans"};
  part.run = run;
  part.plan = {plan, cells};
  part.shard = {index, count, "--shard"};
  for (std::uint64_t place = index - 1; place < cells; place += count) part.cells.push_back(cell_at(place));
  return part;
}

/// All that a report could tell of it, in one text.
std::string told(const RunSummary& summary) {
  std::ostringstream text;
  text << summary.arena << summary.cgroup << summary.interrupted << summary.wall.count() << summary.plan.id << summary.matrix
       << summary.arena_asked.value_or("-") << summary.observe.value_or("-");
  for (const std::string& gap : summary.gaps) text << "\ngap " << gap;
  for (const CellSummary& cell : summary.cells) {
    text << "\n" << cell.one.scenario << " " << cell.place << " " << name(cell.outcome) << " " << cell.runs << " "
         << cell.runs_wanted << " " << cell.unexpected_runs << " " << cell.unknown_runs << " " << cell.wall.count() << cell.note;
    for (const Ending& ending : cell.endings) text << " left " << ending.left.value_or(99) << " took " << ending.took.value_or(Nanos{}).count();
    for (const auto& [oracle, tally] : cell.oracles) {
      text << " " << oracle << name(tally.worst.outcome) << tally.worst.because << tally.broken_runs << tally.unknown_runs;
    }
  }
  for (const RunSummary& part : summary.parts) text << "\npart " << part.run << told(part);
  return text.str();
}

/// Runs of one of two plans, of any shards, some cut off, some with the same cells and other results.
std::vector<RunSummary> any_runs() {
  std::vector<RunSummary> runs;
  const int count = *rc::gen::inRange(1, 7);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t shards = *rc::gen::inRange<std::uint64_t>(1, 4);
    const std::uint64_t index = *rc::gen::inRange<std::uint64_t>(1, shards + 1);
    RunSummary run = part_of_plan("run" + std::to_string(i), index, shards, 5, *rc::gen::element<std::string>("p", "q"));
    run.arena = *rc::gen::element<std::string>("sealed", "user-namespace", "subreaper");
    run.interrupted = *rc::gen::weightedElement<bool>({{4, false}, {1, true}});
    for (CellSummary& cell : run.cells) {
      cell = cell_at(cell.place, *rc::gen::element(CellOutcome::as_expected, CellOutcome::as_expected, CellOutcome::skipped,
                                                   CellOutcome::unknown, CellOutcome::not_as_expected));
      cell.oracles["no-orphans"].worst.because = "in " + run.run;
      if (!cell.endings.empty()) cell.endings.front().left = static_cast<std::uint64_t>(i);
      if (run.interrupted && *rc::gen::arbitrary<bool>()) cell.runs = 0, cell.oracles.clear(), cell.note = "interrupted";
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<RunSummary> some_of(const std::vector<RunSummary>& runs) {
  std::vector<RunSummary> some{runs.front()};
  for (const RunSummary& each : runs) {
    if (*rc::gen::arbitrary<bool>()) some.push_back(each);
  }
  return some;
}

RC_GTEST_PROP(Merge, TheOrderCountsForNothing, ()) {
  std::vector<RunSummary> runs = any_runs();
  const std::string whole = told(merged(runs));
  for (std::size_t i = runs.size(); i > 1; --i) std::swap(runs[i - 1], runs[*rc::gen::inRange<std::size_t>(0, i)]);
  RC_ASSERT(told(merged(runs)) == whole);
}

RC_GTEST_PROP(Merge, IsAssociativeAlsoWhereBothSidesShareRuns, ()) {
  const std::vector<RunSummary> runs = any_runs();
  const auto a = some_of(runs), b = some_of(runs), c = some_of(runs);
  const RunSummary left = merged({merged({merged(a), merged(b)}), merged(c)});
  const RunSummary right = merged({merged(a), merged({merged(b), merged(c)})});
  RC_ASSERT(told(left) == told(right));
  std::vector<RunSummary> all = a;
  all.insert(all.end(), b.begin(), b.end()), all.insert(all.end(), c.begin(), c.end());
  RC_ASSERT(told(left) == told(merged(all)));
}

RC_GTEST_PROP(Merge, TheSameRunTwiceCountsOnce, ()) {
  std::vector<RunSummary> runs = any_runs();
  const RunSummary once = merged(runs);
  const std::vector<RunSummary> again = runs;
  runs.insert(runs.end(), again.begin(), again.end());
  RC_ASSERT(told(merged(runs)) == told(once));
  RC_ASSERT(told(merged({once, once})) == told(once));
}

RC_GTEST_PROP(Merge, IsNeverBetterThanItsWorstPartNorGreenWithAHole, ()) {
  const std::vector<RunSummary> runs = any_runs();
  const RunSummary whole = merged(runs);
  std::uint64_t broken = 0;
  for (const RunSummary& run : runs) {
    for (const CellSummary& cell : run.cells) broken += cell.runs > 0 && cell.outcome == CellOutcome::not_as_expected;
  }
  RC_ASSERT((worst_outcome(whole) == CellOutcome::not_as_expected) >= (broken > 0));
  std::map<std::string, std::set<std::uint64_t>> places;
  for (const RunSummary& run : runs) {
    for (const CellSummary& cell : run.cells) places[run.plan.id].insert(cell.place);
  }
  for (const auto& [plan, seen] : places) RC_ASSERT(seen.size() == 5U || !whole.gaps.empty());
}

TEST(Merge, TheShardsAreTheWhole) {
  const RunSummary whole = merged({part_of_plan("c", 3, 3), part_of_plan("a", 1, 3), part_of_plan("b", 2, 3)});
  EXPECT_THAT(whole.gaps, IsEmpty());
  ASSERT_EQ(whole.cells.size(), 6U);
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(whole.cells[i].place, i);
  EXPECT_EQ(whole.plan.id, "p");
  EXPECT_EQ(whole.parts.size(), 3U);
}

TEST(Merge, AMissingShardIsSaid) {
  EXPECT_THAT(merged({part_of_plan("a", 1, 3)}).gaps,
              ElementsAre("shards 2, 3 of 3 are missing: 4 of 6 cells were run by nobody"));
  EXPECT_THAT(merged({part_of_plan("a", 1, 2)}).gaps, ElementsAre("shard 2 of 2 is missing: 3 of 6 cells were run by nobody"));
}

TEST(Merge, WhatIsMissingIsCountedByCellsWhereTheCountsDiffer) {
  EXPECT_THAT(merged({part_of_plan("a", 1, 2), part_of_plan("b", 2, 3)}).gaps,
              ElementsAre("2 of 6 cells were run by nobody"));
  EXPECT_THAT(merged({part_of_plan("a", 1, 2), part_of_plan("b", 2, 2), part_of_plan("c", 2, 3)}).gaps, IsEmpty());
}

TEST(Merge, ShardsOfTwoPlansDoNotFillEachOthersHoles) {
  const RunSummary whole = merged({part_of_plan("a", 1, 2, 6, "p"), part_of_plan("b", 2, 2, 6, "q")});
  EXPECT_THAT(whole.gaps, ElementsAre(HasSubstr("shard 2 of 2 is missing"), HasSubstr("shard 1 of 2 is missing")));
  EXPECT_THAT(whole.gaps[0], HasSubstr("plan p, s0"));
}

TEST(Merge, ARetryThatAgreesAddsItsRuns) {
  const RunSummary whole = merged({part_of_plan("a", 1, 1), part_of_plan("b", 1, 1)});
  EXPECT_THAT(whole.gaps, IsEmpty());
  EXPECT_EQ(whole.cells[0].runs, 2U);
  EXPECT_EQ(whole.cells[0].outcome, CellOutcome::as_expected);
}

TEST(Merge, TheEndingsOfAllRunsAreKeptUpToABound) {
  RunSummary full = part_of_plan("b", 1, 1);
  full.cells[0].endings.assign(most_endings, {std::nullopt, std::nullopt, std::nullopt});
  const RunSummary whole = merged({part_of_plan("a", 1, 1), full});
  EXPECT_EQ(whole.cells[1].endings.size(), 2U);
  EXPECT_EQ(whole.cells[0].endings.size(), most_endings);
}

TEST(Merge, WhatWasAskedForOnTheCommandLineMustHaveBeenAskedForEverywhere) {
  RunSummary one = part_of_plan("a", 1, 2), other = part_of_plan("b", 2, 2);
  one.arena_asked = other.arena_asked = "user-namespace", one.observe = "proc";
  EXPECT_EQ(merged({one, other}).arena_asked, "user-namespace");
  EXPECT_EQ(merged({one, other}).observe, std::nullopt);
}

TEST(Merge, ARetryWithAnotherResultIsAConflict) {
  RunSummary other = part_of_plan("b", 1, 1);
  other.cells[2] = cell_at(2, CellOutcome::not_as_expected);
  const RunSummary whole = merged({part_of_plan("a", 1, 1), other});
  EXPECT_THAT(whole.gaps, ElementsAre("conflict: s2, exemplary / fork was run more than once and came out as-expected in run a, "
                                      "not-as-expected in run b"));
  EXPECT_EQ(whole.cells[2].outcome, CellOutcome::not_as_expected);
  EXPECT_EQ(whole.cells[2].oracles.at("no-orphans").broken_runs, 1U);
}

/// A run that was cut off before its last cell.
RunSummary cut_off(const std::string& run) {
  RunSummary part = part_of_plan(run, 1, 1);
  part.interrupted = true;
  CellSummary& last = part.cells.back();
  last.runs = 0, last.oracles.clear(), last.outcome = CellOutcome::unknown, last.note = "it was not run: interrupted";
  return part;
}

TEST(Merge, WhatWasCutOffIsHealedByARunThatWasNot) {
  const RunSummary whole = merged({cut_off("a"), part_of_plan("b", 1, 1)});
  EXPECT_FALSE(whole.interrupted);
  EXPECT_THAT(whole.gaps, IsEmpty());
  EXPECT_EQ(worst_outcome(whole), CellOutcome::as_expected);
}

TEST(Merge, WhatWasCutOffAloneStaysUnknown) {
  const RunSummary whole = merged({cut_off("a")});
  EXPECT_TRUE(whole.interrupted);
  EXPECT_EQ(worst_outcome(whole), CellOutcome::unknown);
}

TEST(Merge, OneRunInTwoVersionsIsRefused) {
  RunSummary changed = part_of_plan("a", 1, 1);
  changed.cells[0].outcome = CellOutcome::not_as_expected;
  EXPECT_THROW(merged({part_of_plan("a", 1, 1), changed}), BadInput);
}

TEST(Merge, TheWeakestArenaIsTheOneInForce) {
  RunSummary weak = part_of_plan("b", 2, 2);
  weak.arena = "subreaper", weak.arena_cost = "orphans can hide", weak.cgroup = false, weak.refusals = {"sealed: EPERM"};
  const RunSummary whole = merged({part_of_plan("a", 1, 2), weak});
  EXPECT_EQ(whole.arena, "subreaper");
  EXPECT_EQ(whole.arena_cost, "orphans can hide");
  EXPECT_FALSE(whole.cgroup);
  EXPECT_THAT(whole.refusals, ElementsAre("sealed: EPERM"));
}

}  // namespace
}  // namespace forkproof::run
