// The annotations: one command a line, escaped as GitHub's runner reads them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/report.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> commands(const RunSummary& summary) {
  std::stringstream page;
  find_report("github")->write(summary, page);
  std::vector<std::string> lines;
  for (std::string line; std::getline(page, line);) lines.push_back(line);
  return lines;
}

TEST(Github, AsExpectedIsOneNotice) {
  EXPECT_THAT(commands(summary_of({good_cell("heartbeat-409", "exemplary", "fork")})),
              ElementsAre("::notice title=forkproof::1 of 1 cell as expected in 2.00 s (sealed arena)"));
}

TEST(Github, ACellThatDiffersIsAnErrorAndOneThatCannotBeToldAWarning) {
  EXPECT_THAT(commands(summary_of({with_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork")),
                                   with_unknown(good_cell("heartbeat-409", "exemplary", "fork")),
                                   not_run(good_cell("runtime", "exemplary", "fork"), CellOutcome::skipped, "no gobjc")})),
              ElementsAre("::error title=heartbeat-409%3A airflow-3.2.0 / fork::no-orphans broken in 1 of 1: helper (pid 4) "
                          "lives on%0ASee it again: repro heartbeat-409 --profile airflow-3.2.0 --backend fork",
                          "::warning title=heartbeat-409%3A exemplary / fork::no-orphans unknown in 1 of 1: the census "
                          "could not be taken%0ASee it again: repro heartbeat-409 --profile exemplary --backend fork",
                          "::notice title=not run::1 cell skipped: no gobjc",
                          "::notice title=forkproof::0 of 3 cells as expected, 1 not-as-expected, 1 unknown, 1 skipped in "
                          "2.00 s (sealed arena)"));
}

TEST(Github, EscapesWhatWouldEndAPropertyOrALine) {
  CellSummary cell = with_orphan(good_cell("a:b,c%d\ne", "exemplary", "fork"), "100% of:\n::error::none\r, \xff\x1b");
  const auto lines = commands(summary_of({cell}));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], StartsWith("::error title=a%3Ab%2Cc%25d%0Ae%3A exemplary / fork::"));
  EXPECT_THAT(lines[0], HasSubstr("100%25 of:%0A::error::none?, ??%0ASee it again"));
}

TEST(Github, SaysThatItWasInterrupted) {
  RunSummary summary = summary_of({not_run(good_cell("a", "b", "fork"), CellOutcome::unknown, "it was not run: interrupted")});
  summary.interrupted = true;
  const auto lines = commands(summary);
  EXPECT_EQ(lines[0], "::warning title=not run::1 cell unknown: it was not run: interrupted");
  EXPECT_THAT(lines[1], HasSubstr(", interrupted"));
}

TEST(Github, WhatIsMissingOfAMergeIsAWarning) {
  RunSummary summary = summary_of({good_cell("a", "b", "fork")});
  summary.gaps = {"shard 2 of 2 is missing"};
  EXPECT_EQ(commands(summary)[0], "::warning title=could not tell::shard 2 of 2 is missing");
}

}  // namespace
}  // namespace forkproof::reports
