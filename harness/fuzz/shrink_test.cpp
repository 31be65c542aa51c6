#include "harness/fuzz/shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/fuzz/hunt.h"
#include "harness/fuzz/planted.h"

namespace forkproof::fuzz {
namespace {

using namespace std::chrono_literals;

// Real runs: one machine-wide pool for all tests of this file.
class Shrink : public testing::Test {
 protected:
  static const arena::Provision& provision() {
    static const arena::Provision found = arena::provide();
    return found;
  }
  run::RunPool pool_{provision(), 2};
};

/// Only the pid is signalled: the helper is left. All the rest does not matter.
Case large_case() {
  scenario::Scenario question;
  question.name = "large";
  question.tree.role = "task-runner", question.tree.output_bytes = 300;
  question.tree.children = {{.role = "helper", .keeps = keeps_stdout, .children = {{.role = "leaf"}}},
                            {.role = "other", .own_session = true, .output_bytes = 70},
                            {.role = "third", .exit_code = 3}};
  question.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", "heartbeat 1"}}}};
  question.knobs = {{"signal_scope", "task-process"}, {"capture", "pipe"}, {"listens", "yes"}};
  return run::make_case(question, exemplary_profile(), "vfork-exec", 5);
}

TEST_F(Shrink, LeavesWhatMatters) {
  ShrinkOptions options;
  options.budget = 20s, options.measured = 5;
  const Case one = large_case();
  const Shrunk left = shrink(one, "no-orphans", exemplary_profile(), pool_, options);
  EXPECT_TRUE(pool_.idle());
  EXPECT_EQ(left.end, ShrinkEnd::smallest);
  EXPECT_EQ(count_nodes(left.one.tree), 2U);
  EXPECT_LE(left.one.faults.size(), 1U);
  const Profile& profile = std::get<ModelSupervisor>(left.one.subject).profile;
  EXPECT_EQ(profile.signal_scope, SignalScope::task_process);
  EXPECT_EQ(profile.capture, Capture::socketpair);
  EXPECT_EQ(profile.listens, Listens::no);
  EXPECT_EQ(left.one.backend_name(), "fork");
  EXPECT_EQ(left.one.seed, 1U);
  EXPECT_EQ(left.broke, 5U);
  EXPECT_EQ(left.measured, 5U);
  EXPECT_EQ(left.verdict.outcome, Outcome::broken);
}

TEST_F(Shrink, WhatDoesNotBreakIsLeftAsItWas) {
  ShrinkOptions options;
  options.measured = 2;
  const Case one = large_case();
  const Shrunk left = shrink(one, "no-zombies", exemplary_profile(), pool_, options);
  EXPECT_EQ(left.end, ShrinkEnd::unreliable);
  EXPECT_EQ(left.one, one);
  EXPECT_EQ(left.broke, 0U);
  EXPECT_EQ(left.steps, 0U);
}

TEST_F(Shrink, ItsBudgetEndsIt) {
  ShrinkOptions options;
  options.budget = Nanos{}, options.measured = 1;
  const Shrunk left = shrink(large_case(), "no-orphans", exemplary_profile(), pool_, options);
  EXPECT_EQ(left.end, ShrinkEnd::out_of_time);
  EXPECT_EQ(left.one, large_case());
  EXPECT_EQ(left.measured, 0U) << "nothing is said of it";
}

TEST_F(Shrink, MeasuresHowReliableACaseIs) {
  EXPECT_EQ(text(measure(canary(), "no-orphans", 4, pool_)), "4 of 4");
  EXPECT_EQ(text(measure(canary(), "no-zombies", 3, pool_)), "0 of 3");
}

}  // namespace
}  // namespace forkproof::fuzz
