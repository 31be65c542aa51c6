#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "harness/core/history.h"

namespace forkproof {
namespace {

using namespace std::chrono_literals;

/// A case with no field at its default.
Case full_case() {
  ModelSupervisor model;
  model.profile.name = "some";
  model.profile.about = "about";
  model.profile.source = "airflow#65505";
  for (const Knob& knob : knobs()) knob.set(model.profile, knob.values.size() - 1);
  model.profile.time_scale = 0.015625;
  model.profile.stop_signals = {2, 15, 9};
  model.profile.stop_delay = 1s, model.profile.socket_cleanup = 2s;
  model.profile.heartbeat_interval = 3s, model.profile.heartbeat_timeout = 4s;
  model.profile.max_failed_heartbeats = 7;
  model.profile.http_attempts = 6, model.profile.http_timeout = 7s;
  model.profile.http_retry_first = 8s, model.profile.http_retry_most = 9s;
  model.profile.revoked_statuses = {410};
  model.backend = "fork-exec";
  TaskNode helper{"helper", Answer::ignores, Answer::exits, keeps_all, true, true, true, 1ULL << 40, 3, 1500ms, {}};
  Case one;
  one.scenario = "heartbeat-409";
  one.question = "Does it \"die\"?\n";
  one.subject = model;
  one.tree = {"task-runner", Answer::goes_on, Answer::ignores, keeps_stdin, true, false, true, 5, 2, {}, {helper, {}}};
  one.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", std::string("heartbeat 2")}}, 5s}};
  one.holds = {{"supervisor", "spawned", 2, "task-runner", "forked"}};
  one.bounds = {1s, 2s, 3s, 4s};
  one.seed = ~0ULL;
  one.server = false;
  one.schedule = "pct:7:2";
  return one;
}

TEST(CaseDocument, LosesNothing) {
  EXPECT_EQ(case_from(to_document(full_case())), full_case());
  EXPECT_EQ(case_from(to_document(Case{})), Case{});
}

TEST(CaseDocument, HoldsACommandAsWell) {
  Case one;
  one.subject = Command{{"supervisord", "-n", "{task}"}, "supervisor", {{"{dir}/a.ini", "[x]\n", true}}, {{"KEY", "{dir}"}}, {"/tmp"}, true};
  const Case back = case_from(to_document(one));
  EXPECT_EQ(back, one);
  EXPECT_EQ(back.profile_name(), "");
  EXPECT_EQ(back.backend_name(), "");
  EXPECT_EQ(back.time_scale(), 1.0);
}

TEST(CaseDocument, OpensAHistory) {
  History history;
  history.append({Nanos{}, CaseOpened{to_document(full_case())}});
  EXPECT_EQ(case_of(history), full_case());
  EXPECT_EQ(case_of(history).profile_name(), "some");
  EXPECT_EQ(case_of(history).backend_name(), "fork-exec");
}

TEST(CaseDocument, AWordThatIsNotKnownThrows) {  // a document of another version is not half understood
  std::string document = to_document(full_case());
  const std::size_t at = document.find("\"ignore\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_THROW((void)case_from(document.replace(at, 8, "\"dance\"")), std::exception);
  EXPECT_THROW((void)case_from("{}"), std::exception);
  EXPECT_THROW((void)case_from("not json"), std::exception);
}

std::string any_text() { return *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)); }
Nanos any_duration() { return Nanos(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)); }
Answer any_answer() { return static_cast<Answer>(*rc::gen::inRange(0, 6)); }

TaskNode any_tree(int levels) {
  TaskNode node;
  node.role = any_text();
  node.on_term = any_answer(), node.on_int = any_answer();
  node.keeps = *rc::gen::arbitrary<std::uint32_t>();
  node.own_session = *rc::gen::arbitrary<bool>();
  node.double_fork = *rc::gen::arbitrary<bool>();
  node.ends_with_children = *rc::gen::arbitrary<bool>();
  node.output_bytes = *rc::gen::arbitrary<std::uint64_t>();
  node.write_size_bytes = *rc::gen::arbitrary<std::uint64_t>();
  node.sigint = static_cast<SigintSetup>(*rc::gen::inRange<std::size_t>(0, sigint_setups().size() + 1));
  node.exit_code = *rc::gen::inRange(0, 256);
  if (*rc::gen::arbitrary<bool>()) node.exits_after = any_duration();
  const int children = levels > 1 ? *rc::gen::inRange(0, 4) : 0;
  for (int i = 0; i < children; ++i) node.children.push_back(any_tree(levels - 1));
  return node;
}

Profile any_profile() {
  Profile profile;
  profile.name = any_text(), profile.about = any_text(), profile.source = any_text();
  for (const Knob& knob : knobs()) knob.set(profile, *rc::gen::inRange<std::size_t>(0, knob.values.size()));
  profile.time_scale = *rc::gen::inRange(1, 1'000'000) / 7e5;  // sevenths have no short decimal
  profile.stop_signals = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 32));
  profile.stop_delay = any_duration(), profile.socket_cleanup = any_duration();
  profile.heartbeat_interval = any_duration(), profile.heartbeat_timeout = any_duration();
  profile.max_failed_heartbeats = *rc::gen::inRange(1, 1000);
  profile.http_attempts = *rc::gen::inRange(1, 100), profile.http_timeout = any_duration();
  profile.http_retry_first = any_duration(), profile.http_retry_most = any_duration();
  profile.revoked_statuses = *rc::gen::container<std::vector<int>>(rc::gen::inRange(100, 600));
  return profile;
}

Case any_case() {
  Case one;
  one.scenario = any_text(), one.question = any_text();
  if (*rc::gen::arbitrary<bool>()) one.subject = ModelSupervisor{any_profile(), any_text()};
  else one.subject = Command{{any_text(), any_text()}};
  one.tree = any_tree(4);
  if (*rc::gen::arbitrary<bool>()) {
    one.faults.push_back({any_text(), {{"n", *rc::gen::arbitrary<std::int64_t>()}, {"w", any_text()}}});
  }
  if (*rc::gen::arbitrary<bool>()) {
    one.holds.push_back({any_text(), any_text(), *rc::gen::arbitrary<std::int64_t>(), any_text(), any_text()});
  }
  one.bounds = {any_duration(), any_duration(), any_duration()};
  one.seed = *rc::gen::arbitrary<std::uint64_t>();
  one.server = *rc::gen::arbitrary<bool>();
  one.schedule = any_text();
  return one;
}

RC_GTEST_PROP(CaseDocument, OfAnyCaseComesBack, ()) {
  const Case one = any_case();
  RC_ASSERT(case_from(to_document(one)) == one);
}

TEST(CaseDocument, BytesThatAreNoUtf8AreReplacedNotRefused) {
  Case one;
  one.subject = Command{{"\xff"}};
  EXPECT_NO_THROW((void)to_document(one));
}

}  // namespace
}  // namespace forkproof
