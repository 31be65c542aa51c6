#include "harness/run/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/scenario/library.h"

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

scenario::Scenario small_scenario() {
  scenario::Scenario made;
  made.name = "by-hand";
  made.question = "Why?";
  made.tree.role = "task-runner";
  made.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}}}};
  made.holds = {{"supervisor", "spawned", 1, "", "ready"}};
  made.profiles = {"airflow-3.2.0", "exemplary"};
  made.backends = {"fork", "fork-exec"};
  made.expectations.push_back({.profiles = {"airflow-3.2.0"}, .breaks = {"no-orphans"}});
  return made;
}

std::vector<std::string> names(const std::vector<Cell>& cells) {
  std::vector<std::string> list;
  for (const Cell& cell : cells) list.push_back(cell.one.profile_name() + " " + cell.one.backend_name());
  return list;
}

std::string complaint(const Choice& choice) {
  try {
    cross(small_scenario(), choice);
  } catch (const BadInput& error) {
    return error.what();
  }
  return {};
}

TEST(Cross, IsEveryProfileWithEveryBackend) {
  EXPECT_THAT(names(cross(small_scenario(), {})), ElementsAre("airflow-3.2.0 fork", "airflow-3.2.0 fork-exec",
                                                              "exemplary fork", "exemplary fork-exec"));
}

TEST(Cross, ACellIsACompleteCase) {
  Choice choice;
  choice.seed = 77;
  const auto cells = cross(small_scenario(), choice);
  const Case& one = cells.front().one;
  EXPECT_EQ(one.scenario, "by-hand");
  EXPECT_EQ(one.question, "Why?");
  EXPECT_EQ(one.tree, small_scenario().tree);
  EXPECT_EQ(one.faults, small_scenario().faults);
  EXPECT_EQ(one.holds, small_scenario().holds);
  EXPECT_EQ(one.seed, 77U);
  EXPECT_EQ(std::get<ModelSupervisor>(one.subject).profile.signal_scope, SignalScope::task_process);
}

TEST(Cross, ExpectsOfEachCellWhatTheScenarioSays) {
  const auto cells = cross(small_scenario(), {});
  EXPECT_THAT(cells[0].expected, ElementsAre("no-orphans"));
  EXPECT_TRUE(cells[2].expected.empty());
}

TEST(CellOf, ACommandHasTheScenariosBoundsAndTheSameQuestion) {
  scenario::Scenario asked = small_scenario();
  asked.teardown = 7s, asked.startup = 3s;
  asked.command_tree.on_int = Answer::inherits;
  const Cell cell = cell_of(asked, Command{{"timeout", "{task}"}}, {}, {"no-orphans"});
  EXPECT_EQ(std::get<Command>(cell.one.subject).argv.front(), "timeout");
  EXPECT_EQ(cell.one.bounds.teardown, 7s);
  EXPECT_EQ(cell.one.bounds.startup, 3s);
  EXPECT_EQ(cell.one.tree, asked.command_tree);
  EXPECT_EQ(cell.one.faults, asked.faults);
  EXPECT_THAT(cell.expected, ElementsAre("no-orphans"));
}

TEST(CellOf, AFaultInsideTheModelSupervisorCannotBeAskedOfACommand) {
  scenario::Scenario asked = small_scenario();
  asked.faults = {{"fork-after-thread", {{"lock", std::string("std-mutex")}}}};
  try {
    (void)cell_of(asked, Command{{"timeout"}}, {});
    ADD_FAILURE();
  } catch (const BadInput& wrong) {
    EXPECT_THAT(wrong.what(), HasSubstr("fault fork-after-thread acts inside the model supervisor"));
  }
}

TEST(CheckProgram, SaysWhatIsWrong) {
  const auto complaint_about = [](const std::string& program) -> std::string {
    try {
      check_program(program);
    } catch (const BadInput& wrong) {
      return wrong.what();
    }
    return "";
  };
  EXPECT_EQ(complaint_about("sh"), "");
  EXPECT_EQ(complaint_about("/bin/sh"), "");
  EXPECT_THAT(complaint_about("no-such-command-anywhere"), HasSubstr("no such command on the PATH"));
  EXPECT_THAT(complaint_about("/no/such"), HasSubstr("no such file"));
  EXPECT_THAT(complaint_about("/tmp"), HasSubstr("is a directory"));
  EXPECT_THAT(complaint_about("/etc/passwd"), HasSubstr("is not executable"));
}

TEST(Cross, TheCommandLineNarrows) {
  Choice choice;
  choice.profiles = {"exemplary"};
  choice.backends = {"fork-exec"};
  EXPECT_THAT(names(cross(small_scenario(), choice)), ElementsAre("exemplary fork-exec"));
}

TEST(Cross, AnotherProfileMayBeAskedForAndMustHold) {
  Choice choice;
  choice.profiles = {"airflow-65738"};
  for (const Cell& cell : cross(small_scenario(), choice)) EXPECT_TRUE(cell.expected.empty());
}

TEST(Cross, AMatrixNarrowsAndAddsNothing) {
  Choice choice;
  choice.only_own = true;
  choice.profiles = {"airflow-65738", "exemplary"};
  choice.backends = {"posix-spawn", "fork"};
  EXPECT_THAT(names(cross(small_scenario(), choice)), ElementsAre("exemplary fork"));
  choice.backends = {"posix-spawn"};
  EXPECT_TRUE(cross(small_scenario(), choice).empty());
  choice.backends = {"posix-spwan"};
  EXPECT_THAT(complaint(choice), HasSubstr("did you mean 'posix-spawn'?"));
}

TEST(Cross, WhatIsNotThereIsRefusedWithTheNearest) {
  Choice profile, backend;
  profile.profiles = {"exemplry"};
  backend.backends = {"fork-exce"};
  EXPECT_THAT(complaint(profile), HasSubstr("did you mean 'exemplary'?"));
  EXPECT_THAT(complaint(backend), HasSubstr("did you mean 'fork-exec'?"));
}

TEST(Cross, TheBoundIsWhatTheProfileDeclaresAndASlackThatIsNotScaled) {
  Choice choice;
  choice.profiles = {"airflow-3.2.0"};  // two signals of 5 s each, 60 s for the sockets
  choice.time_scale = 1.0;
  EXPECT_EQ(cross(small_scenario(), choice).front().one.bounds.teardown, 70s + teardown_slack);
  choice.time_scale = 0.01;
  EXPECT_EQ(cross(small_scenario(), choice).front().one.bounds.teardown, 700ms + teardown_slack);
}

TEST(Cross, PatienceIsScaledButNeverNothing) {
  scenario::Scenario patient = small_scenario();
  patient.patience = 600s;
  Choice choice;
  choice.time_scale = 0.01;
  EXPECT_EQ(cross(patient, choice).front().one.bounds.patience, 6s);
  choice.time_scale = 1e-6;
  EXPECT_GT(cross(patient, choice).front().one.bounds.patience, 0s);
  EXPECT_GE(cross(patient, choice).front().one.bounds.startup, 20s) << "for forks, which no scale makes faster";
}

TEST(Vocabulary, HoldsTheTablesOfAllRooms) {
  const Vocabulary words = vocabulary();
  EXPECT_THAT(words.backends, Contains("fork-exec"));
  EXPECT_THAT(words.oracles, Contains("no-orphans"));
  EXPECT_THAT(words.sync_points, Contains(testing::Field(&SyncPointWord::point, "stop-signalled")));
  ASSERT_FALSE(words.faults.empty());
  for (const auto& fault : words.faults) EXPECT_NE(fault.check, nullptr) << fault.key;
}

TEST(Vocabulary, ReadsEveryDeliveredScenarioAndItsProfilesAreThere) {
  const std::string folder = FORKPROOF_SOURCE "/scenarios";
  const auto all = scenario::names_in(folder);
  ASSERT_THAT(all, Contains("heartbeat-409"));
  for (const std::string& name : all) {
    for (const auto& one : scenario::read_scenarios(folder + "/" + name + ".toml", vocabulary())) {
      EXPECT_FALSE(one.source.empty()) << name;
      EXPECT_EQ(cross(one, {}).size(), one.profiles.size() * one.backends.size()) << name;
    }
  }
}

TEST(Cross, AVariantIsPartOfTheCasesName) {
  scenario::Scenario variant = small_scenario();
  variant.variant = "slow";
  EXPECT_EQ(cross(variant, {}).front().one.scenario, "by-hand/slow");
}

}  // namespace
}  // namespace forkproof::run
