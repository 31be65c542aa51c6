// The text report on summaries written by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/layout.h"
#include "reports/report.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> eleven{"fork",       "fork-exec",  "posix-spawn",        "vfork-exec", "clone3",        "raw-fork",
                                      "forkserver", "boost-v1",   "worker-thread-fork", "boost-v2",   "boost-v2-vfork"};

std::string text_report_of(const RunSummary& summary) {
  std::ostringstream page;
  find_report("text")->write(summary, page);
  return page.str();
}

/// Lines that are too long though a space in them would have let them break.
std::string lines_too_long(const std::string& page) {
  std::istringstream lines(page);
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (line.size() > columns && line.find(' ', indent) != std::string::npos) found += line + "\n";
  }
  return found;
}

/// A scenario with its two variants, under eleven backends.
std::vector<CellSummary> variants() {
  std::vector<CellSummary> cells;
  for (const char* variant : {"fork-after-thread/std-mutex", "fork-after-thread/pthread-once"}) {
    for (const std::string& backend : eleven) cells.push_back(good_cell(variant, "exemplary", backend));
  }
  return cells;
}

TEST(Text, AMatrixThatIsAsExpectedIsATableAndACount) {
  auto cells = variants();
  cells[0] = with_expected_orphan(cells[0]);
  cells[5] = with_expected_orphan(cells[5]);
  for (const char* backend : {"fork", "fork-exec"}) cells.push_back(good_cell("run-refused", "airflow-3.2.0", backend));
  EXPECT_EQ(text_report_of(summary_of(cells)),
            "matrix: 2 scenarios, sealed arena with a cgroup, 24 cells x 1 run, 2.00 s\n"
            "\n"
            "  fork-after-thread (exemplary; 11 backends)\n"
            "    std-mutex     O: fork, raw-fork; others hold\n"
            "    pthread-once  holds\n"
            "  run-refused (fork, fork-exec)\n"
            "    airflow-3.2.0  holds\n"
            "\n"
            "  broken: O no-orphans\n"
            "  all 24 cells came out as expected\n");
}

TEST(Text, ProfilesOfAVariantThatAreAlikeStandTogether) {
  std::vector<CellSummary> cells;
  for (const char* variant : {"replies/404", "replies/reset"}) {
    for (const char* profile : {"airflow", "airflow-65738", "exemplary"}) {
      for (const char* backend : {"fork", "posix-spawn"}) cells.push_back(good_cell(variant, profile, backend));
    }
  }
  cells.push_back(good_cell("other", "exemplary", "fork"));
  cells[0] = with_expected_orphan(cells[0]);
  cells[1] = with_expected_orphan(cells[1]);
  EXPECT_THAT(text_report_of(summary_of(cells)), HasSubstr("  replies (airflow, airflow-65738, exemplary; fork, posix-spawn)\n"
                                                    "    404    O: airflow; others hold\n"
                                                    "    reset  holds\n"));
  // Where the backends differ too, each profile has its line.
  cells[1] = good_cell("replies/404", "airflow", "posix-spawn");
  EXPECT_THAT(text_report_of(summary_of(cells)), HasSubstr("    404 airflow        O: fork; holds: posix-spawn\n"
                                                    "    404 airflow-65738  holds\n"
                                                    "    404 exemplary      holds\n"
                                                    "    reset              holds\n"));
}

TEST(Text, OneQuestionIsAGridAndTellsItsFirstBreak) {
  const std::string page = text_report_of(summary_of({with_expected_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork")),
                                               good_cell("heartbeat-409", "airflow-3.2.0", "fork-exec"),
                                               good_cell("heartbeat-409", "exemplary", "fork"),
                                               good_cell("heartbeat-409", "exemplary", "fork-exec")},
                                              false));
  EXPECT_THAT(page, HasSubstr("heartbeat-409: Does it hold?\n"));
  EXPECT_THAT(page, HasSubstr("                 fork   fork-exec\n"
                              "  airflow-3.2.0  O      holds\n"
                              "  exemplary      holds  holds\n"));
  EXPECT_THAT(page, HasSubstr("all 4 cells came out as expected"));
  EXPECT_THAT(page, HasSubstr("airflow-3.2.0 / fork, run 1: what happened"));
  EXPECT_THAT(page, HasSubstr("  O     +3.00 ms  helper 4        is re-parented from task-runner 3 to PID 1\n"));
  EXPECT_THAT(page, HasSubstr("O no-orphans, broken: helper (pid 4) lives on\n"));
  EXPECT_THAT(page, HasSubstr("these hold every promise: exemplary"));
  EXPECT_THAT(page, HasSubstr("    repro heartbeat-409 --profile airflow-3.2.0 --backend fork\n"));
}

TEST(Text, BackendsThatDoNotFitSideBySideAreLines) {
  std::vector<CellSummary> cells;
  for (const std::string& backend : eleven) cells.push_back(good_cell("heartbeat-409", "exemplary", backend));
  const std::string page = text_report_of(summary_of(cells, false));
  EXPECT_THAT(page, HasSubstr("  heartbeat-409 (11 backends)\n    exemplary  holds\n"));
}

TEST(Text, ACellThatDiffersIsMarkedExplainedAndTold) {
  auto cells = variants();
  cells[0] = with_orphan(cells[0]);
  const std::string page = text_report_of(summary_of(cells));
  EXPECT_THAT(page, HasSubstr("std-mutex     O !: fork; others hold\n"));
  EXPECT_THAT(page, HasSubstr("! = not as expected\n  21 of 22 cells as expected, 1 not-as-expected\n"));
  EXPECT_THAT(page, HasSubstr("  fork-after-thread/std-mutex: exemplary / fork: not-as-expected in 1 of 1 run\n"
                              "    expected to break: nothing\n"
                              "    no-orphans broken in 1 of 1: helper (pid 4) lives on\n"));
  EXPECT_THAT(page, HasSubstr("fork-after-thread/std-mutex: exemplary / fork, run 1: what happened\n"));
  EXPECT_THAT(page, HasSubstr("`- helper 4  <- orphan"));
}

TEST(Text, CellsOfARowThatDifferInTheSameWordsStandTogether) {
  const std::string page = text_report_of(summary_of({with_orphan(good_cell("s", "exemplary", "fork")),
                                               with_orphan(good_cell("s", "exemplary", "raw-fork")),
                                               with_orphan(good_cell("s", "exemplary", "fork-exec"), "otherwise")}));
  EXPECT_THAT(page, HasSubstr("\n  s: exemplary / fork, raw-fork: not-as-expected in 1 of 1 run\n"));
  EXPECT_THAT(page, HasSubstr("\n  s: exemplary / fork-exec: not-as-expected in 1 of 1 run\n"));
}

TEST(Text, ABreakThatDidNotComeIsADifference) {
  CellSummary cell = good_cell("heartbeat-409", "airflow-3.2.0", "fork");
  cell.expected = {"no-orphans"};
  cell.outcome = CellOutcome::not_as_expected;
  cell.unexpected_runs = 1;
  const std::string page = text_report_of(summary_of({cell}));
  EXPECT_THAT(page, HasSubstr("airflow-3.2.0  holds !\n"));
  EXPECT_THAT(page, HasSubstr("expected to break: no-orphans\n    no-orphans broken in 0 of 1: nobody is left\n"));
}

TEST(Text, WhatWasNotJudgedIsToldInOneLineAReason) {
  CellSummary cell = good_cell("term", "exemplary", "fork");
  cell.oracles["no-orphans"] = {held("nobody is left"), 0, 0};
  cell.oracles["state-reported"] = {skipped("it tells nothing"), 0, 0};
  cell.oracles["selector-intact"] = {skipped("it tells nothing"), 0, 0};
  RunSummary summary = summary_of({cell}, false);
  summary.oracles.emplace_back("selector-intact");
  const std::string page = text_report_of(summary);
  EXPECT_THAT(page, HasSubstr("  the one cell came out as expected\n"
                              "  not judged:\n"
                              "    state-reported, selector-intact: it tells nothing\n"));
  summary.matrix = true;
  EXPECT_THAT(text_report_of(summary), Not(HasSubstr("not judged")));
}

TEST(Text, NothingJudgedDoesNotLookGreen) {
  CellSummary cell = good_cell("term", "exemplary", "fork");
  for (auto& [oracle, tally] : cell.oracles) tally = {skipped("it was killed"), 0, 0};
  cell.outcome = CellOutcome::unknown;
  const std::string page = text_report_of(summary_of({cell}, false));
  EXPECT_THAT(page, HasSubstr("exemplary  not judged\n"));
  EXPECT_THAT(page, HasSubstr("could not tell: no promise could be judged"));
  EXPECT_THAT(page, Not(HasSubstr("holds")));
}

TEST(Text, AZombieIsNoOrphan) {
  CellSummary cell = with_orphan(good_cell("term", "exemplary", "fork"));
  cell.exhibit->history.append({21ms, CensusTaken{"deadline", true, {{.pid = 4, .parent = warden_pid, .state = "Z", .name = "helper"}}}});
  const std::string page = text_report_of(summary_of({cell}, false));
  EXPECT_THAT(page, HasSubstr("helper 4  <- zombie"));
  EXPECT_THAT(page, Not(HasSubstr("<- orphan")));
}

TEST(Text, SomeOfManyRunsAreCounted) {
  CellSummary cell = with_orphan(good_cell("heartbeat-409", "exemplary", "fork"));
  cell.runs = 200;
  cell.oracles["no-orphans"].broken_runs = 3;
  cell.unexpected_runs = 3;
  const std::string page = text_report_of(summary_of({cell}));
  EXPECT_THAT(page, HasSubstr("O:3 !"));
  EXPECT_THAT(page, HasSubstr("not-as-expected in 3 of 200 runs"));
}

TEST(Text, UnknownIsNeverGreen) {
  const std::string page = text_report_of(summary_of({with_unknown(good_cell("heartbeat-409", "exemplary", "fork"))}));
  EXPECT_THAT(page, HasSubstr("exemplary  ?\n"));
  EXPECT_THAT(page, HasSubstr("0 of 1 cell as expected, 1 unknown"));
  EXPECT_THAT(page, HasSubstr("no-orphans unknown in 1 of 1: the census could not be taken"));
  EXPECT_THAT(page, Not(HasSubstr("came out as expected")));
}

TEST(Text, PromisesThatShareOneReasonAreWrappedWithIt) {
  RunSummary summary = summary_of({with_unknown(good_cell("heartbeat-409", "exemplary", "fork"))});
  summary.oracles = {"no-orphans", "no-zombies", "teardown-bounded", "exit-status-faithful", "no-lost-output", "no-crash"};
  CellSummary& cell = summary.cells.front();
  const OracleTally unclear = cell.oracles.at("no-orphans");
  for (const std::string& oracle : summary.oracles) cell.oracles[oracle] = unclear;
  cell.oracles.erase("no-crash");  // or it would be said of every promise
  std::istringstream page(text_report_of(summary));
  for (std::string line; std::getline(page, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Text, WhatWasNotRunIsCountedByItsReason) {
  std::vector<CellSummary> cells;
  for (const std::string& backend : eleven) {
    cells.push_back(not_run(good_cell("heartbeat-409", "exemplary", backend), CellOutcome::unknown, "it was not run: interrupted"));
  }
  cells.push_back(not_run(good_cell("runtime", "exemplary", "fork"), CellOutcome::skipped, "skipped: built without gobjc"));
  RunSummary summary = summary_of(cells);
  summary.interrupted = true;
  const std::string page = text_report_of(summary);
  EXPECT_THAT(page, HasSubstr("interrupted: this is what was found so far"));
  EXPECT_THAT(page, HasSubstr("  11 cells unknown: it was not run: interrupted\n"));
  EXPECT_THAT(page, HasSubstr("  1 cell skipped: built without gobjc\n"));
}

TEST(Text, ManyDifferencesAreCutShort) {
  std::vector<CellSummary> cells;
  for (int i = 0; i < 50; ++i) cells.push_back(with_orphan(good_cell("s" + std::to_string(i), "exemplary", "fork")));
  EXPECT_THAT(text_report_of(summary_of(cells)), HasSubstr("... and 10 more; --format json has them all\n"));
}

TEST(Text, KeepsToEightyColumns) {
  auto cells = variants();
  std::string sentence;
  for (int i = 0; i < 40; ++i) sentence += "word" + std::to_string(i) + " ";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i].one.question = sentence;
    if (i % 3 == 0) cells[i] = with_orphan(cells[i], sentence);
    if (i % 3 == 1) cells[i] = with_unknown(cells[i], sentence);
  }
  cells.push_back(with_orphan(good_cell("a-scenario/with-a-variant-of-a-name-that-is-far-too-long",
                                        "and-a-profile-whose-name-is-no-shorter-either", "worker-thread-fork")));
  CellSummary deep = with_orphan(good_cell("deep", "exemplary", "fork"));
  deep.exhibit->history = History{};
  for (Pid pid = 2; pid < 66; ++pid) deep.exhibit->history.append({1ms, Spawned{pid, pid - 1, pid - 3, "fifteen-letters"}});
  cells.push_back(deep);
  for (const bool matrix : {true, false}) {
    EXPECT_EQ(lines_too_long(text_report_of(summary_of(cells, matrix))), "");
    EXPECT_EQ(lines_too_long(text_report_of(summary_of({deep}, matrix))), "");
    EXPECT_EQ(lines_too_long(text_report_of(summary_of({cells[22]}, matrix))), "");
  }
}

TEST(Text, NothingInItReachesTheTerminalAsACommand) {
  CellSummary cell = with_orphan(good_cell("heartbeat-409", "exemplary", "fork"), "\x1b]0;title\a and \xff\xfe");
  cell.exhibit->history = orphan_history("\x1b[31mhelper");
  const std::string page = text_report_of(summary_of({cell}));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr("?]0;title? and ??"));
}

TEST(Text, WhatIsMissingOfAMergeIsSaid) {
  RunSummary summary = summary_of({good_cell("heartbeat-409", "exemplary", "fork")});
  summary.gaps = {"shard 2 of 2 is missing"};
  EXPECT_THAT(text_report_of(summary), HasSubstr("  could not tell: shard 2 of 2 is missing\n"));
}

TEST(Text, NothingWasRun) { EXPECT_EQ(text_report_of(summary_of({})), "nothing was run\n"); }

}  // namespace
}  // namespace forkproof::reports
