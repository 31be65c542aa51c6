// The league table: a block a question, and all of it in one table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/report.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using testing::HasSubstr;

CellSummary target(const std::string& scenario, const std::string& name, Ending ending) {
  CellSummary cell = good_cell(scenario, "", "");
  Command command{{name, "{task}"}};
  command.target = name;
  cell.one.subject = command;
  cell.endings.push_back(ending);
  return cell;
}

std::string page(const RunSummary& summary) {
  std::ostringstream out;
  find_report("league")->write(summary, out);
  return out.str();
}

TEST(League, WhoKeepsMostStandsOnTop) {
  CellSummary leaves = with_expected_orphan(target("term", "bash", {2, 3ms, WaitStatus::killed_by(15)}));
  leaves.endings = {{2, 3ms, WaitStatus::killed_by(15)}};
  const std::string text = page(summary_of({leaves, target("term", "bwrap", {0, 8ms, WaitStatus::exited_with(0)})}));
  EXPECT_THAT(text, HasSubstr("  bash      2   3.00 ms  SIGTERM   no-orphans\n"));
  EXPECT_THAT(text, HasSubstr("  bwrap     0   8.00 ms  exit 0\n"));
  EXPECT_LT(text.rfind("bwrap"), text.rfind("bash"));
  EXPECT_THAT(text, HasSubstr("  bwrap  .   1 of 1\n"));
  EXPECT_THAT(text, HasSubstr("  bash   2   0 of 1\n"));
}

TEST(League, WhatDoesNotEndAndWhatIsNewsIsSaid) {
  CellSummary hangs = target("term", "unshare", {3, std::nullopt, std::nullopt});
  hangs.oracles["teardown-bounded"] = {broken("no conclusion", {}), 1, 0};
  const std::string text = page(summary_of({hangs}));
  EXPECT_THAT(text, HasSubstr("  unshare     3     never  -         teardown-bounded (news)\n"));
  EXPECT_THAT(text, HasSubstr("  unshare  !   0 of 1\n"));
}

TEST(League, WhatWasNotRunSaysWhyAndCountsForNothing) {
  const std::string note = "skipped: tini is not installed here: apt-get install tini";
  const std::string text = page(summary_of({not_run(target("term", "tini", {}), CellOutcome::skipped, note)}));
  EXPECT_THAT(text, HasSubstr("  tini  " + note + "\n"));
  EXPECT_THAT(text, HasSubstr("  tini  -   -\n"));
}

TEST(League, FiguresThatDifferFromRunToRunAreAllGiven) {
  CellSummary cell = target("term", "tini", {0, 3ms, WaitStatus::exited_with(0)});
  cell.endings.push_back({1, 5ms, WaitStatus::exited_with(1)});
  EXPECT_THAT(page(summary_of({cell})), HasSubstr("  tini   0/1   5.00 ms  exit 0/exit 1\n"));
}

}  // namespace
}  // namespace forkproof::reports
