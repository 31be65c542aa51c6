#include "harness/fuzz/smaller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "harness/core/history.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario_writer.h"

namespace forkproof::fuzz {
namespace {

using namespace std::chrono_literals;
using scenario::Scenario;
using testing::AllOf;
using testing::Contains;
using testing::Not;

const Profile& exemplary() {
  static const Profile profile = scenario::read_profile(scenario::library_directory() + "/profiles", "exemplary");
  return profile;
}

bool flip() { return *rc::gen::arbitrary<bool>(); }

TaskNode any_node(int levels, bool root) {
  TaskNode node;
  node.role = root ? "task-runner" : *rc::gen::element<std::string>("helper", "other");
  node.on_term = *rc::gen::element(Answer::dies, Answer::goes_on);
  node.keeps = *rc::gen::element<std::uint32_t>(keeps_none, keeps_stdin, keeps_all);
  node.double_fork = !root && flip(), node.own_session = flip(), node.ends_with_children = flip();
  node.output_bytes = *rc::gen::element<std::uint64_t>(0, 1, 70'000);
  if (flip()) node.exits_after = *rc::gen::element<Nanos>(0s, 1s);
  const int children = levels > 1 ? *rc::gen::inRange(0, 3) : 0;
  for (int i = 0; i < children; ++i) node.children.push_back(any_node(levels - 1, false));
  return node;
}

Case any_case() {
  Scenario question;
  question.name = "x";
  question.tree = any_node(3, true);
  if (flip()) question.faults.push_back({"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", "heartbeat " + std::to_string(*rc::gen::inRange(0, 4))}}});
  if (flip()) question.faults.push_back({"supervisor-killed", {}});
  if (flip()) question.holds.push_back({"other", "leaving", 2, "", "ready"});
  if (flip()) question.holds.push_back({"supervisor", "heartbeat", 1, "helper", "leaving"});
  // A rule about somebody who is not there is no valid case to begin with.
  const auto roles = [](const TaskNode& node, const auto& self) -> std::set<std::string> {
    std::set<std::string> all{node.role, "supervisor"};
    for (const TaskNode& child : node.children) all.merge(self(child, self));
    return all;
  };
  const auto there = roles(question.tree, roles);
  std::erase_if(question.holds, [&there](const HoldRule& hold) {
    return !there.contains(hold.who) || (!hold.until_who.empty() && !there.contains(hold.until_who));
  });
  if (flip()) question.knobs["capture"] = "pipe";
  if (flip()) question.knobs["signal_scope"] = "task-process";
  if (flip()) question.schedule = *rc::gen::element<std::string>("pct:3:4", count_nodes(question.tree) > 1 ? "sabs" : "sas", "random:9");
  question.server = flip();
  return run::make_case(question, exemplary(), *rc::gen::element<std::string>("fork", "boost-v2"), 7);
}

/// As its file says it, read back.
Case through_its_file(const Case& one) {
  const std::string text = scenario::write_scenario(one, {});
  return run::cross(scenario::read_scenario_text(text, "dir/x.toml", run::vocabulary()), {}).front().one;
}

RC_GTEST_PROP(SmallerCase, IsAValidCaseThatEndsIfTheOtherDoes, ()) {
  const Case one = any_case();
  for (const Smaller& each : smaller(one, exemplary())) {
    RC_LOG() << each.step << "\n";
    Case back = through_its_file(each.one);
    back.question = each.one.question;
    RC_ASSERT(to_document(back) == to_document(each.one));
    RC_ASSERT(each.one != one);
    RC_ASSERT(!asks_for_teardown(one) || asks_for_teardown(each.one));
  }
}

RC_GTEST_PROP(SmallerCase, RepeatedComesToAnEnd, ()) {
  Case one = any_case();
  std::size_t steps = 0;
  for (auto next = smaller(one, exemplary()); !next.empty(); next = smaller(one, exemplary())) {
    one = next[*rc::gen::inRange<std::size_t>(0, next.size())].one;
    RC_ASSERT(++steps < 500U);
  }
  RC_ASSERT(count_nodes(one.tree) == 1U);
}

Scenario some_nodes() {
  Scenario question;
  question.name = "x";
  question.tree.role = "task-runner";
  question.tree.on_term = Answer::goes_on;
  question.tree.children = {{.role = "helper", .keeps = keeps_stdin, .own_session = true},
                            {.role = "other", .children = {{.role = "leaf"}}},
                            {.role = "third"}};
  question.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", "heartbeat 4"}}}};
  question.holds = {{"leaf", "leaving", 1, "", "ready"}};
  question.knobs = {{"capture", "pipe"}, {"listens", "yes"}, {"signal_scope", "task-process"}};
  return question;
}

std::vector<std::string> steps_of(const Scenario& question, const std::string& backend = "fork") {
  std::vector<std::string> steps;
  for (const Smaller& each : smaller(run::make_case(question, exemplary(), backend, 1), exemplary())) steps.push_back(each.step);
  return steps;
}

TEST(SmallerSteps, WholeBranchesComeBeforeSingleBehaviours) {
  const auto steps = steps_of(some_nodes());
  EXPECT_EQ(steps.front(), "nothing but the task and [[fault]] 1");
  const auto place = [&steps](const std::string& step) { return std::find(steps.begin(), steps.end(), step) - steps.begin(); };
  EXPECT_LT(place("nothing but the task with a child and [[fault]] 1"), place("no children"));
  EXPECT_LT(place("no children"), place("drop node 1"));
  EXPECT_LT(place("drop node 1"), place("drop node 0"));  // the larger one first
  EXPECT_LT(place("drop node 0"), place("no keeps of node 0"));
  EXPECT_LT(place("no keeps of node 0"), place("set back capture"));
  EXPECT_LT(place("set back capture"), place("[[fault]] 1 after heartbeat 0"));
  EXPECT_THAT(steps, Contains("hoist the children of node 1"));
}

/// What that step makes of the case; fails where there is no such step.
Case after(const Scenario& question, const std::string& step) {
  for (const Smaller& each : smaller(run::make_case(question, exemplary(), "fork", 1), exemplary())) {
    if (each.step == step) return each.one;
  }
  ADD_FAILURE() << "no step '" << step << "'";
  return {};
}

TEST(SmallerSteps, ARuleAboutWhoIsGoneGoesWithHim) {
  EXPECT_THAT(after(some_nodes(), "drop node 1").holds, testing::IsEmpty());
  EXPECT_EQ(after(some_nodes(), "drop node 0").holds.size(), 1U);
}

TEST(SmallerSteps, WhatIsWrongStaysWhenAllShapeGoes) {
  const Case left = after(some_nodes(), "no shape");
  const Profile& profile = std::get<ModelSupervisor>(left.subject).profile;
  EXPECT_EQ(profile.capture, Capture::socketpair);
  EXPECT_EQ(profile.signal_scope, SignalScope::task_process);
}

TEST(SmallerSteps, TheOnlyFaultStaysWhereNothingElseAsksForATeardown) {
  EXPECT_THAT(steps_of(some_nodes()), Not(Contains("drop [[fault]] 1")));
  Scenario ends = some_nodes();
  ends.tree.exits_after = 1s;
  EXPECT_THAT(steps_of(ends), Contains("drop [[fault]] 1"));
}

TEST(SmallerSteps, ABackendIsOnlyReplacedByASimplerOne) {
  EXPECT_THAT(steps_of(some_nodes(), "boost-v2"), AllOf(Contains("backend fork"), Contains("backend posix-spawn")));
  EXPECT_THAT(steps_of(some_nodes(), "fork"), Not(Contains("backend posix-spawn")));
}

TEST(SmallerSteps, BoundsFollowTheCase) {
  Scenario slow = some_nodes();
  slow.faults = {{"heartbeat-reply", {{"reply", "reset"}}}, {"supervisor-killed", {}}};
  EXPECT_LT(after(slow, "drop [[fault]] 1").bounds.teardown, run::make_case(slow, exemplary(), "fork", 1).bounds.teardown);
}

}  // namespace
}  // namespace forkproof::fuzz
