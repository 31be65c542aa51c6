// A case, written as a scenario file, read back and crossed, is the same case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/faults/fault.h"
#include "harness/oracles/oracle.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/question.h"
#include "harness/scenario/scenario_writer.h"

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;

template <class Value>
Value any_of(std::vector<Value> values) {
  return *rc::gen::elementOf(std::move(values));
}
bool flip() { return *rc::gen::arbitrary<bool>(); }

/// A role is up to 15 letters.
std::string any_role() {
  std::string role = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("azAZ09._-")));
  role.resize(std::min<std::size_t>(role.size(), 15));
  return role.empty() || role == "." || role == ".." ? "task" : role;
}

TaskNode any_tree(int levels, bool root) {
  TaskNode node;
  node.role = flip() ? any_role() : "helper";
  node.on_term = static_cast<Answer>(*rc::gen::inRange(0, 5)), node.on_int = static_cast<Answer>(*rc::gen::inRange(0, 5));
  node.keeps = flip() ? keeps_all : *rc::gen::inRange<std::uint32_t>(0, 8);
  node.own_session = flip(), node.double_fork = !root && flip(), node.ends_with_children = flip();
  node.output_bytes = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
  node.write_size_bytes = flip() ? default_write_size : *rc::gen::inRange<std::uint64_t>(1, most_write_size + 1);
  if (root) node.sigint = static_cast<SigintSetup>(*rc::gen::inRange<std::size_t>(0, sigint_setups().size() + 1));
  node.exit_code = *rc::gen::inRange(0, 256);
  if (flip()) node.exits_after = Nanos(*rc::gen::inRange<std::int64_t>(0, 600'000'000'000));
  const int children = levels > 1 ? *rc::gen::inRange(0, 4) : 0;
  for (int i = 0; i < children; ++i) node.children.push_back(any_tree(levels - 1, false));
  if (children > 0 && flip()) node.children.push_back(node.children.back());  // copies
  return node;
}

FaultSpec any_fault() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: return {"heartbeat-reply", {{"status", *rc::gen::inRange<std::int64_t>(300, 600)}, {"after", "heartbeat " + std::to_string(*rc::gen::inRange(0, 9))}}};
    case 1: return {"heartbeat-reply", {{"reply", any_of<std::string>({"reset", "hang", "late", "garbage", "half-close"})}, {"after", any_of<std::string>({"start", "output"})}}};
    case 2: return {"fork-after-thread", {{"lock", any_of<std::string>({"std-mutex", "tzset"})}}};
    default: return {any_of<std::string>({"orphan-sigint", "supervisor-killed"}), {}};
  }
}

HoldRule any_hold(const TaskNode& root) {
  HoldRule hold{root.role, any_of<std::string>({"forked", "leaving"}), *rc::gen::inRange<std::int64_t>(1, 9), "", "ready"};
  if (flip()) hold.who = "supervisor", hold.at = any_of<std::string>({"spawned", "heartbeat"});
  if (flip()) hold.until_who = "supervisor", hold.until_at = "stop-signalled";
  return hold;
}

scenario::Scenario any_scenario() {
  scenario::Scenario made;
  made.tree = any_tree(3, true);
  const int faults = *rc::gen::inRange(0, 3), holds = *rc::gen::inRange(0, 3);
  for (int i = 0; i < faults; ++i) made.faults.push_back(any_fault());
  // A case has room for one fault that acts inside the subject.
  if (faults == 2 && made.faults[0].fault == "fork-after-thread" && made.faults[1].fault == "fork-after-thread") made.faults.pop_back();
  for (int i = 0; i < holds; ++i) made.holds.push_back(any_hold(made.tree));
  for (const Knob& knob : knobs()) {
    if (flip()) made.knobs[std::string(knob.key)] = knob.values[*rc::gen::inRange<std::size_t>(0, knob.values.size())].word;
  }
  made.server = flip();
  if (flip()) made.patience = Nanos(*rc::gen::inRange<std::int64_t>(0, 900'000'000'000));
  if (flip()) made.startup = Nanos(*rc::gen::inRange<std::int64_t>(0, 40'000'000'000));
  if (flip()) made.seed = *rc::gen::inRange<std::uint64_t>(0, std::numeric_limits<std::int64_t>::max());
  if (flip()) made.schedule = any_of<std::string>({"random:7", "pct:3:2", "sa.a"});
  made.profiles = {any_of<std::string>({"exemplary", "airflow-3.2.0", "gunicorn-prefork"})};
  made.backends = {any_of<std::string>({"fork", "posix-spawn", "boost-v2"})};
  return made;
}

Cell read_back(const std::string& text) {
  const auto cells = cross(scenario::read_scenario_text(text, "found/x.toml", vocabulary()), {});
  RC_ASSERT(cells.size() == 1U);
  return cells.front();
}

RC_GTEST_PROP(WrittenScenario, CrossedIsTheSameCase, ()) {
  Case one = cross(any_scenario(), {}).front().one;
  const std::set<std::string> breaks{any_of<std::string>({"no-orphans", "no-zombies"})};
  const std::string text = scenario::write_scenario(one, {"fuzz, seed 1, case 2", breaks, {"It broke in 20 of 20 runs."}});
  RC_LOG() << text;
  const Cell back = read_back(text);
  one.scenario = "x", one.question = back.one.question;
  RC_ASSERT(to_document(back.one) == to_document(one));
  RC_ASSERT(back.one == one);
  RC_ASSERT(back.expected == breaks);
}

// The fault and the promise say it in a sentence of their own, not by their keys.
TEST(Question, HasWordsForEveryFaultAndPromise) {
  for (const auto& row : faults::faults()) EXPECT_TRUE(scenario::has_words_for_fault(std::string(row.key))) << row.key;
  for (const auto& row : oracles::oracles()) EXPECT_TRUE(scenario::has_words_for_oracle(std::string(row.key))) << row.key;
  EXPECT_FALSE(scenario::has_words_for_fault("no-such-fault"));
  EXPECT_FALSE(scenario::has_words_for_oracle("no-such-promise"));
}

Case revoked_case() {
  scenario::Scenario made;
  made.tree.role = "task-runner", made.tree.on_term = Answer::goes_on;
  made.tree.children = {{.role = "helper", .keeps = keeps_stdin}, {.role = "helper", .keeps = keeps_stdin}};
  made.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", "heartbeat 2"}}}};
  made.holds = {{"task-runner", "forked", 1, "supervisor", "stop-signalled"}};
  made.knobs = {{"signal_scope", "task-process"}};
  made.profiles = {"exemplary"}, made.backends = {"fork"};
  made.seed = 13;
  return cross(made, {}).front().one;
}

TEST(WrittenScenario, ReadsAsAPersonWouldHaveWrittenIt) {
  EXPECT_EQ(scenario::write_scenario(revoked_case(), {"fuzz, seed 7, case 12", {"no-orphans"}, {"It broke in 20 of 20 runs."}}),
            R"(question = "The server answers heartbeat 3 and all later ones with 409: does anything of the task tree live on?"
source   = "fuzz, seed 7, case 12"
seed     = 13

# It broke in 20 of 20 runs.

[tree]
role    = "task-runner"
on_term = "return"
[[tree.children]]
role   = "helper"
copies = 2
keeps  = ["stdin"]

[[fault]]
fault  = "heartbeat-reply"
after  = "heartbeat 2"
status = 409

[[hold]]
who   = "task-runner"
at    = "forked"
until = "supervisor stop-signalled"

# Wrong (signal_scope): the one pid; what it started lives on.
[knobs]
signal_scope = "task-process"

[across]
profiles = ["exemplary"]
backends = ["fork"]

[[expect]]
breaks = ["no-orphans"]
)");
}

std::string refusal(Case one) {
  try {
    (void)scenario::write_scenario(one, {});
  } catch (const BadInput& error) {
    return error.what();
  }
  return {};
}

TEST(WrittenScenario, WhatNoScenarioCanSayIsRefused) {
  Case one = revoked_case();
  EXPECT_EQ(refusal(one), "");
  auto& profile = std::get<ModelSupervisor>(one.subject).profile;
  profile.stop_delay = 7s;
  EXPECT_THAT(refusal(one), testing::HasSubstr("in more than its knobs"));
  profile.name = "exemplery";
  EXPECT_THAT(refusal(one), testing::HasSubstr("did you mean 'exemplary'"));
  one.subject = Command{{"true"}};
  EXPECT_THAT(refusal(one), testing::HasSubstr("not about a command"));
  one = revoked_case();
  one.tree.children.front().sigint = SigintSetup::stopped;
  EXPECT_THAT(refusal(one), testing::HasSubstr("only the tree's root"));
  one = revoked_case();
  one.seed = ~std::uint64_t{0};
  EXPECT_THAT(refusal(one), testing::HasSubstr("seed"));
}

}  // namespace
}  // namespace forkproof::run
