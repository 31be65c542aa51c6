#include "reports/names.h"

#include <gtest/gtest.h>

#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

TEST(Letters, AreTheFirstFreeOfTheWords) {
  const Letters letters = letters_for({"no-orphans", "selector-intact", "state-reported", "no-stuck-process", "no-zombies"});
  EXPECT_EQ(letters.at("no-orphans"), 'O');
  EXPECT_EQ(letters.at("selector-intact"), 'S');
  EXPECT_EQ(letters.at("state-reported"), 'R');
  EXPECT_EQ(letters.at("no-stuck-process"), 'P');
  EXPECT_EQ(letters.at("no-zombies"), 'Z');
}

TEST(Letters, ManyPromisesHaveOneEach) {
  std::vector<std::string> oracles;
  for (int i = 0; i < 36; ++i) oracles.push_back("a" + std::string(static_cast<std::size_t>(i), 'a'));
  std::set<char> seen;
  for (const auto& [oracle, letter] : letters_for(oracles)) EXPECT_TRUE(seen.insert(letter).second) << oracle;
}

TEST(Counted, GroupsThousands) {
  EXPECT_EQ(counted(1, "cell", "cells"), "1 cell");
  EXPECT_EQ(counted(999, "cell", "cells"), "999 cells");
  EXPECT_EQ(counted(1204, "cell", "cells"), "1,204 cells");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(ReproducingLine, NamesTheVariantOnce) {
  CellSummary cell = good_cell("fork-after-thread/std-mutex", "exemplary", "fork");
  const RunSummary summary = summary_of({});
  EXPECT_EQ(reproducing_line(cell, summary), "repro fork-after-thread/std-mutex --profile exemplary --backend fork");
  cell.asked = "./my.toml/std-mutex";
  EXPECT_EQ(reproducing_line(cell, summary), "repro ./my.toml/std-mutex --profile exemplary --backend fork");
  cell.asked = "./my.toml";
  EXPECT_EQ(reproducing_line(cell, summary), "repro ./my.toml/std-mutex --profile exemplary --backend fork");
}

TEST(ReproducingLine, CarriesWhatWasAskedFor) {
  CellSummary cell = good_cell("heartbeat-409", "exemplary", "fork");
  cell.one.seed = 7;
  RunSummary summary = summary_of({});
  summary.time_scale = 0.5;
  summary.schedule = "pct:3:2";
  EXPECT_EQ(reproducing_line(cell, summary), "repro heartbeat-409 --profile exemplary --backend fork --time-scale 0.5 --schedule pct:3:2 --seed 7");
  summary.arena_asked = "subreaper", summary.observe = "proc";
  EXPECT_EQ(reproducing_line(cell, summary), "repro heartbeat-409 --profile exemplary --backend fork --time-scale 0.5 --schedule pct:3:2 "
                                             "--arena subreaper --seed 7");
  cell.one.subject = Command{{"sh", "-c", "{task}"}};
  EXPECT_EQ(reproducing_line(cell, summary), "repro heartbeat-409 --time-scale 0.5 --schedule pct:3:2 --arena subreaper --observe proc "
                                             "--seed 7 -- sh -c '{task}'");
}

TEST(ReproducingLine, HasWhatACommandSharesWithTheMachine) {
  CellSummary cell = good_cell("x", "exemplary", "fork");
  Command command{{"sup"}};
  command.shares = {"/tmp/a b", "/dev/shm"};
  cell.one.subject = command;
  EXPECT_EQ(reproducing_line(cell, summary_of({})), "repro x --share '/tmp/a b' --share /dev/shm -- sup");
}

TEST(ReproducingLine, IsSafeForAShell) {
  CellSummary cell = good_cell("x", "exemplary", "fork");
  cell.asked = "my $(rm) it's.toml";
  EXPECT_EQ(reproducing_line(cell, summary_of({})), R"(repro 'my $(rm) it'\''s.toml' --profile exemplary --backend fork)");
}

}  // namespace
}  // namespace forkproof::reports
