#include "harness/core/verdict.h"

#include <gtest/gtest.h>

#include "harness/core/summary.h"

namespace forkproof {
namespace {

TEST(Outcome, TheWorseIsTheGreater) {
  EXPECT_LT(Outcome::held, Outcome::skipped);
  EXPECT_LT(Outcome::skipped, Outcome::unknown);
  EXPECT_LT(Outcome::unknown, Outcome::broken);
}

TEST(Outcome, HasTheNameThatReportsUse) {
  EXPECT_EQ(name(Outcome::held), "held");
  EXPECT_EQ(name(Outcome::skipped), "skipped");
  EXPECT_EQ(name(Outcome::unknown), "unknown");
  EXPECT_EQ(name(Outcome::broken), "broken");
}

TEST(Verdict, IsUnknownUntilSomebodySaysOtherwise) { EXPECT_EQ(Verdict{}.outcome, Outcome::unknown); }

TEST(Verdict, IsMadeWithItsReasonAndEvidence) {
  const Verdict verdict = broken("it hung", {3, 7});
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "it hung");
  EXPECT_EQ(verdict.evidence, (std::vector<std::size_t>{3, 7}));
  EXPECT_EQ(held("fine").outcome, Outcome::held);
  EXPECT_EQ(skipped("not asked").outcome, Outcome::skipped);
  EXPECT_EQ(unknown("cut off").outcome, Outcome::unknown);
}

TEST(CellOutcome, TheWorstCellIsTheSummarys) {
  RunSummary summary;
  EXPECT_EQ(worst_outcome(summary), CellOutcome::as_expected);
  for (const CellOutcome outcome : {CellOutcome::as_expected, CellOutcome::unknown, CellOutcome::skipped}) {
    summary.cells.emplace_back().outcome = outcome;
  }
  EXPECT_EQ(worst_outcome(summary), CellOutcome::unknown);
  summary.cells.emplace_back().outcome = CellOutcome::not_as_expected;
  EXPECT_EQ(worst_outcome(summary), CellOutcome::not_as_expected);
}

TEST(CellOutcome, HasTheNameOfTheJsonFormat) {
  EXPECT_EQ(name(CellOutcome::as_expected), "as-expected");
  EXPECT_EQ(name(CellOutcome::skipped), "skipped");
  EXPECT_EQ(name(CellOutcome::unknown), "unknown");
  EXPECT_EQ(name(CellOutcome::not_as_expected), "not-as-expected");
}

}  // namespace
}  // namespace forkproof
