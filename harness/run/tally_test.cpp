#include "harness/run/tally.h"

#include <gtest/gtest.h>

namespace forkproof::run {
namespace {

using Verdicts = std::map<std::string, Verdict>;
const std::set<std::string> nothing, orphans{"no-orphans"};

/// What a run showed of two promises.
Verdicts verdicts(Outcome of_orphans, Outcome of_zombies = Outcome::held) {
  return {{"no-orphans", {of_orphans, "", {}}}, {"no-zombies", {of_zombies, "", {}}}};
}

TEST(Compare, WhatIsExpectedIsAsExpected) {
  EXPECT_EQ(compare(verdicts(Outcome::held), nothing), CellOutcome::as_expected);
  EXPECT_EQ(compare(verdicts(Outcome::broken), orphans), CellOutcome::as_expected);
  EXPECT_EQ(compare(verdicts(Outcome::skipped), nothing), CellOutcome::as_expected);
}

TEST(Compare, WhereNothingIsJudgedNothingIsTold) {
  EXPECT_EQ(compare(verdicts(Outcome::skipped, Outcome::skipped), nothing), CellOutcome::unknown);
}

TEST(Compare, AnUnexpectedBreakIsNot) {
  EXPECT_EQ(compare(verdicts(Outcome::broken), nothing), CellOutcome::not_as_expected);
  EXPECT_EQ(compare(verdicts(Outcome::broken, Outcome::broken), orphans), CellOutcome::not_as_expected);
}

TEST(Compare, AnExpectedBreakThatDidNotComeIsNot) {
  EXPECT_EQ(compare(verdicts(Outcome::held), orphans), CellOutcome::not_as_expected);
  EXPECT_EQ(compare(verdicts(Outcome::skipped), orphans), CellOutcome::not_as_expected);
}

TEST(Compare, UnknownIsNeverGreen) {
  EXPECT_EQ(compare(verdicts(Outcome::unknown), nothing), CellOutcome::unknown);
  EXPECT_EQ(compare(verdicts(Outcome::unknown), orphans), CellOutcome::unknown);
  EXPECT_EQ(compare(verdicts(Outcome::broken, Outcome::unknown), orphans), CellOutcome::unknown);
}

TEST(Compare, UnknownDoesNotHideWhatIsWrong) {
  EXPECT_EQ(compare(verdicts(Outcome::broken, Outcome::unknown), nothing), CellOutcome::not_as_expected);
  EXPECT_EQ(compare(verdicts(Outcome::unknown, Outcome::broken), nothing), CellOutcome::not_as_expected);
}

/// A cell after runs that showed these.
CellSummary cell_of(const std::vector<Verdicts>& runs, const std::set<std::string>& expected = nothing) {
  CellSummary cell;
  cell.expected = expected;
  for (std::size_t run = 0; run < runs.size(); ++run) tally(cell, run, History{}, runs[run]);
  return cell;
}

TEST(Tally, TheWorstRunIsTheCells) {
  EXPECT_EQ(cell_of({verdicts(Outcome::held)}).outcome, CellOutcome::as_expected);
  const CellSummary cell = cell_of({verdicts(Outcome::held), verdicts(Outcome::broken), verdicts(Outcome::unknown)});
  EXPECT_EQ(cell.outcome, CellOutcome::not_as_expected);
  EXPECT_EQ(cell.runs, 3U);
  EXPECT_EQ(cell.unexpected_runs, 2U);
}

TEST(Tally, CountsTheRunsOfEachPromiseAndKeepsItsWorstVerdict) {
  const CellSummary cell = cell_of({verdicts(Outcome::held), verdicts(Outcome::broken), verdicts(Outcome::broken),
                                    verdicts(Outcome::unknown)});
  const OracleTally& broken = cell.oracles.at("no-orphans");
  EXPECT_EQ(broken.worst.outcome, Outcome::broken);
  EXPECT_EQ(broken.broken_runs, 2U);
  EXPECT_EQ(broken.unknown_runs, 1U);
  EXPECT_EQ(cell.oracles.at("no-zombies").worst.outcome, Outcome::held);
}

TEST(Tally, OfEquallyBadVerdictsTheFirstIsKept) {
  Verdicts first = verdicts(Outcome::broken), second = first;
  first["no-orphans"].because = "first";
  second["no-orphans"].because = "second";
  EXPECT_EQ(cell_of({first, second}).oracles.at("no-orphans").worst.because, "first");
}

TEST(Exhibit, IsTheFirstRunThatDiffered) {
  const CellSummary cell = cell_of({verdicts(Outcome::held), verdicts(Outcome::broken), verdicts(Outcome::broken)});
  EXPECT_EQ(cell.exhibit->run, 1U);
  EXPECT_EQ(cell.exhibit->verdicts.at("no-orphans").outcome, Outcome::broken);
}

TEST(Exhibit, WhereABreakIsExpectedItIsTheRunWithoutIt) {
  const CellSummary cell = cell_of({verdicts(Outcome::broken), verdicts(Outcome::held)}, orphans);
  EXPECT_EQ(cell.exhibit->run, 1U);
}

TEST(Exhibit, WhereAllIsAsExpectedItIsTheFirstWithABreak) {
  EXPECT_EQ(cell_of({verdicts(Outcome::broken), verdicts(Outcome::broken)}, orphans).exhibit->run, 0U);
  EXPECT_EQ(cell_of({verdicts(Outcome::held), verdicts(Outcome::held)}).exhibit->run, 0U);
}

TEST(Exhibit, AWrongRunIsWorthMoreThanAnUnknownOne) {
  EXPECT_EQ(cell_of({verdicts(Outcome::unknown), verdicts(Outcome::broken)}).exhibit->run, 1U);
  EXPECT_EQ(cell_of({verdicts(Outcome::held), verdicts(Outcome::unknown)}).exhibit->run, 1U);
}

}  // namespace
}  // namespace forkproof::run
