// What the promises say of a command, which tells nothing of itself: by what the kernel showed, or why it cannot be told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
namespace {

using testing::HasSubstr;

Case command_case(bool passes_exit_status = false) {
  Case one = small_case();
  Command command{{"some-supervisor", "{task}"}};
  command.passes_exit_status = passes_exit_status;
  one.subject = command;
  return one;
}

/// Supervisor, task and helper come up.
Story& start(Story& story) {
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  story.then(Spawned{task, supervisor, 0, "task"});
  story.then(Spawned{helper, task, 1, "helper"});
  story.then(Ready{helper, 1, task, supervisor, supervisor}).then(Ready{task, 0, supervisor, supervisor, supervisor});
  return story.then(TreeReady{2});
}

Verdict verdict_on(Story& story, const std::string& oracle) { return judge(story.whole()).at(oracle); }

void expect_all_unknown(const History& history, const std::string& because) {
  for (const auto& [oracle, verdict] : judge(history)) {
    EXPECT_EQ(verdict.outcome, Outcome::unknown) << oracle;
    EXPECT_THAT(verdict.because, HasSubstr(because)) << oracle;
  }
}

TEST(JudgeCommand, OneThatCouldNotBeStartedIsUnknown) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(CommandNotStarted{"exec ./broken", 2});
  expect_all_unknown(story.exits(supervisor, WaitStatus::exited_with(127)).census().whole(),
                     "could not be started: exec ./broken: No such file or directory");
}

TEST(JudgeCommand, OneThatEndsBeforeTheTreeIsUpIsUnknownWithItsLastWords) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).exits(supervisor, WaitStatus::exited_with(3)).census();
  expect_all_unknown(story.then(CommandOutput{10, "no luck\n"}).whole(),
                     "ended (exit 3) before the task tree was up; it printed: no luck");
}

TEST(JudgeCommand, OneThatGoesToTheBackgroundIsUnknown) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).exits(supervisor, WaitStatus::exited_with(0));
  story.then(TreeReady{2});  // too late: it came up without its supervisor
  expect_all_unknown(story.census({{task, warden_pid, task, task, "S", false, "task"}}).whole(), "it went to the background");
}

TEST(JudgeCommand, OneThatGoesToTheBackgroundBehindATreeThatIsUpIsUnknown) {
  Case one = command_case();
  one.faults = {{"signal-supervisor", {}}};
  Story story(one);
  start(story).exits(supervisor, WaitStatus::exited_with(0)).census({{task, warden_pid, task, task, "S", false, "task"}});
  expect_all_unknown(story.whole(), "ended (exit 0) before the fault could be brought on, and 1 process lives on without it: it "
                                    "went to the background");
}

TEST(JudgeCommand, ATreeThatNeverComesUpIsUnknown) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(DeadlinePassed{"startup"}).census();
  expect_all_unknown(story.then(CommandOutput{}).whole(), "never came up, having printed nothing");
}

TEST(JudgeCommand, OneThatBecomesTheTaskIsUnknown) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(Ready{supervisor, 0, 1, 2, 2}).then(TreeReady{1});
  expect_all_unknown(story.exits(supervisor, WaitStatus::killed_by(15)).census().whole(), "has become the task itself");
}

TEST(JudgeCommand, OneThatForksWithoutEndIsUnknown) {
  Story story(command_case());
  start(story).asked().then(LimitReached{"processes", 1'005, 1'004});
  expect_all_unknown(story.whole(), "had 1005 processes, more than the 1004");
}

TEST(JudgeCommand, APromiseAboutWhatASupervisorTellsIsSkipped) {
  Story story(command_case());
  start(story).asked().exits(task, WaitStatus::killed_by(15)).exits(helper, WaitStatus::killed_by(15));
  const History history = story.exits(supervisor, WaitStatus::exited_with(0)).census().whole();
  const auto verdicts = judge(history);
  for (const char* oracle : {"selector-intact", "no-lost-output", "state-reported", "exit-status-faithful", "orphan-ends",
                             "no-inherited-descriptors", "no-crash-loop"}) {
    EXPECT_EQ(verdicts.at(oracle).outcome, Outcome::skipped) << oracle << ": " << verdicts.at(oracle).because;
  }
  for (const char* oracle : {"no-orphans", "teardown-bounded", "no-stuck-process", "no-zombies", "no-crash-at-start"}) {
    EXPECT_EQ(verdicts.at(oracle).outcome, Outcome::held) << oracle << ": " << verdicts.at(oracle).because;
  }
}

TEST(JudgeCommand, WhatAKilledOneLeavesBehindIsAnOrphan) {
  Story left(command_case());
  start(left).asked().then(Signalled{warden_pid, supervisor, 9, 0}).exits(supervisor, WaitStatus::killed_by(9));
  left.then(Reparented{task, supervisor, warden_pid, false});
  left.then(CensusTaken{"deadline", true, {{task, warden_pid, task, task, "S", false, "task"}}});
  const Verdict verdict = verdict_on(left, "no-orphans");
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("lives on when the bound is over, after the supervisor was killed"));

  Story none(command_case());
  start(none).asked().then(Signalled{warden_pid, supervisor, 9, 0}).exits(supervisor, WaitStatus::killed_by(9));
  none.exits(helper, WaitStatus::killed_by(9)).exits(task, WaitStatus::killed_by(9)).census();
  EXPECT_EQ(verdict_on(none, "no-orphans").outcome, Outcome::held);
}

TEST(JudgeCommand, OneThatDoesNotEndHasNoOrphansYet) {
  Story story(command_case());
  start(story).asked().after(200ms, DeadlinePassed{"teardown"});
  story.then(CensusTaken{"deadline", true, {{supervisor, warden_pid, 2, 2, "S", false, "some"}, {task, supervisor, 2, 2, "S", false, "task"}}});
  const auto verdicts = judge(story.whole());
  EXPECT_EQ(verdicts.at("no-orphans").outcome, Outcome::skipped);
  EXPECT_EQ(verdicts.at("teardown-bounded").outcome, Outcome::broken);
}

Outcome exit_status(bool passes_it_on, WaitStatus of_task, WaitStatus own) {
  Story story(command_case(passes_it_on));
  start(story).asked().exits(task, of_task).exits(supervisor, own).census();
  return verdict_on(story, "exit-status-faithful").outcome;
}

TEST(JudgeCommand, ItsExitStatusIsItsTasksWhereItSaysSo) {
  EXPECT_EQ(exit_status(true, WaitStatus::killed_by(15), WaitStatus::exited_with(143)), Outcome::held);
  EXPECT_EQ(exit_status(true, WaitStatus::killed_by(15), WaitStatus::killed_by(15)), Outcome::held);
  EXPECT_EQ(exit_status(true, WaitStatus::killed_by(9), WaitStatus::killed_by(15)), Outcome::skipped);
  EXPECT_EQ(exit_status(true, WaitStatus::exited_with(3), WaitStatus::exited_with(3)), Outcome::held);
  EXPECT_EQ(exit_status(true, WaitStatus::killed_by(9), WaitStatus::exited_with(1)), Outcome::broken);
  EXPECT_EQ(exit_status(false, WaitStatus::killed_by(9), WaitStatus::exited_with(1)), Outcome::skipped);
}

TEST(JudgeCommand, WhoWasStoppedByTheRigIsNotStuck) {
  Story ours(command_case());
  start(ours).then(Signalled{warden_pid, task, 19, 0}).then(Stuck{task, "task", "stopped", true, 1ms, "it is stopped"});
  ours.asked().exits(supervisor, WaitStatus::exited_with(0)).census();
  EXPECT_EQ(verdict_on(ours, "no-stuck-process").outcome, Outcome::held);

  Story its_own(command_case());
  start(its_own).then(Stuck{task, "task", "stopped", true, 1ms, "it is stopped"});
  its_own.asked().exits(supervisor, WaitStatus::exited_with(0)).census();
  EXPECT_EQ(verdict_on(its_own, "no-stuck-process").outcome, Outcome::broken);
}

TEST(JudgeCommand, AnEndByTheRigsSignalIsNotTheCommandsOwn) {
  const auto told = [](bool by_the_rig) {
    Story story(command_case());
    story.then(Spawned{supervisor, warden_pid, supervisor_node, "supervisor"});
    story.then(TeardownAsked{"the supervisor is stuck: the rig sends it SIGTERM"});
    if (by_the_rig) story.then(Signalled{warden_pid, supervisor, 15, 0});
    story.exits(supervisor, WaitStatus::killed_by(15)).census({{task, 1, task, task, "S", false, "task"}});
    return judge(story.whole()).at("no-orphans").because;
  };
  EXPECT_THAT(told(true), testing::StartsWith("the rig ended the command (SIGTERM) before the task tree was up: the supervisor is stuck"));
  EXPECT_THAT(told(false), testing::HasSubstr("went to the background"));
}

TEST(JudgeCommand, ADeadChildMayBeLeftToPid1OnTheWayOutOnly) {
  Story on_the_way_out(command_case());
  start(on_the_way_out).asked().exits(task, WaitStatus::killed_by(15)).exits(supervisor, WaitStatus::exited_with(0));
  on_the_way_out.then(Reaped{warden_pid, task, WaitStatus::killed_by(15), false}).census();
  EXPECT_EQ(verdict_on(on_the_way_out, "no-zombies").outcome, Outcome::held);

  Story before(command_case());
  start(before).exits(task, WaitStatus::exited_with(0)).asked().exits(supervisor, WaitStatus::exited_with(0));
  before.then(Reaped{warden_pid, task, WaitStatus::exited_with(0), false}).census();
  EXPECT_EQ(verdict_on(before, "no-zombies").outcome, Outcome::broken);
}

TEST(JudgeCommand, ATeardownIsMeasuredFromTheLastTimeItWasAskedFor) {
  Story story(command_case());
  start(story).asked().exits(task, WaitStatus::killed_by(9)).then(Restarted{supervisor, 9, 0, 2, 1ms});
  story.after(10s, TeardownAsked{"it has started its task again: it is sent SIGTERM from outside"});
  story.exits(supervisor, WaitStatus::exited_with(0)).census();
  EXPECT_EQ(verdict_on(story, "teardown-bounded").outcome, Outcome::held);
}

TEST(JudgeCommand, WhoDiesAtItsStartInATeardownDidNotCrash) {
  const auto crash = [](bool in_a_teardown) {
    Story story(command_case());
    start(story);
    if (in_a_teardown) story.asked();
    story.then(Spawned{9, supervisor, 0, "task"}).exits(9, WaitStatus::killed_by(15));
    if (!in_a_teardown) story.asked();
    story.exits(supervisor, WaitStatus::exited_with(0)).census();
    return verdict_on(story, "no-crash-at-start").outcome;
  };
  EXPECT_EQ(crash(true), Outcome::held);  // who signals it, a command does not tell
  EXPECT_EQ(crash(false), Outcome::broken);
}

TEST(JudgeCommand, SigintToATaskWithASupervisorIsNoOrphansMatter) {
  Story story(command_case());
  start(story).asked().then(Signalled{warden_pid, task, 2, 0}).exits(task, WaitStatus::killed_by(2));
  story.exits(supervisor, WaitStatus::exited_with(130)).census();
  EXPECT_EQ(verdict_on(story, "orphan-ends").outcome, Outcome::skipped);
}

/// A teardown that is only counted, and how the command takes it.
Verdict teardown(const char* why, std::optional<Nanos> ends_after) {
  Story story(command_case());
  start(story).then(FaultFired{"x", "y"}).then(TeardownAsked{"the supervisor is sent SIGHUP", why});
  if (ends_after) story.exits(task, WaitStatus::killed_by(15)).after(*ends_after, Exited{supervisor, "supervisor", WaitStatus{}, true});
  else story.after(300ms, DeadlinePassed{"teardown"});
  return verdict_on(story.census(), "teardown-bounded");
}

TEST(JudgeCommand, ATeardownThatNobodyAskedForCannotBeTooSlow) {
  EXPECT_EQ(teardown(cause::asked, std::nullopt).outcome, Outcome::broken);
  EXPECT_EQ(teardown(cause::rig, std::nullopt).outcome, Outcome::broken);
  EXPECT_EQ(teardown(cause::task_ended, std::nullopt).outcome, Outcome::skipped);
  EXPECT_EQ(teardown(cause::not_asked, std::nullopt).outcome, Outcome::skipped);
  EXPECT_EQ(teardown(cause::asked, 400ms).outcome, Outcome::broken);
  EXPECT_EQ(teardown(cause::task_ended, 400ms).outcome, Outcome::skipped);
  EXPECT_EQ(teardown(cause::task_ended, 4ms).outcome, Outcome::held);
  EXPECT_EQ(teardown(cause::not_asked, 4ms).outcome, Outcome::skipped);
  EXPECT_THAT(teardown(cause::not_asked, std::nullopt).because, HasSubstr("nobody asked the supervisor to end"));
}

TEST(JudgeCommand, AReloadThatKeepsItsOldTreeIsTold) {
  const auto reload = [](bool keeps_it) {
    Story story(command_case());
    start(story).then(FaultFired{"signal-supervisor", "SIGHUP"}).then(TeardownAsked{"SIGHUP", cause::not_asked});
    if (!keeps_it) story.exits(task, WaitStatus::killed_by(15)).exits(helper, WaitStatus::killed_by(15));
    story.then(Spawned{9, supervisor, 0, "task"}).then(Restarted{supervisor, 9, 0, 2, keeps_it ? Nanos{} : 1ms});
    story.then(TeardownAsked{"the rig", cause::rig}).then(Exited{9, "task", WaitStatus{}, true}).exits(supervisor, WaitStatus{});
    return verdict_on(keeps_it ? story.census({{task, 1, task, task, "S", false, "task"}}) : story.census(), "no-orphans");
  };
  EXPECT_EQ(reload(true).outcome, Outcome::broken);
  EXPECT_THAT(reload(true).because, HasSubstr("task (pid 9) was started in its place while it lived"));
  EXPECT_EQ(reload(false).outcome, Outcome::held);
}

TEST(JudgeCommand, OneThatNobodyAskedToEndKeepsItsTree) {
  Story story(command_case());
  start(story).then(FaultFired{"signal-node", "y"}).exits(helper, WaitStatus::killed_by(9)).then(TeardownAsked{"", cause::task_ended});
  story.after(200ms, DeadlinePassed{"teardown"});
  story.then(CensusTaken{"deadline", true, {{supervisor, 1, 2, 2, "S", false, "x"}, {task, supervisor, 2, 2, "S", false, "task"}}});
  EXPECT_EQ(verdict_on(story, "no-orphans").outcome, Outcome::skipped);
}

TEST(JudgeCommand, AStatusThatIsItsTasksIsOneEvenWhereItDoesNotSaySo) {
  EXPECT_EQ(exit_status(false, WaitStatus::exited_with(7), WaitStatus::exited_with(7)), Outcome::held);
  EXPECT_EQ(exit_status(false, WaitStatus::exited_with(0), WaitStatus::exited_with(0)), Outcome::skipped);  // it tells nothing
}

// --- the final state, as the server saw it

struct Told {
  std::string state;
  int reply = 204;
};
Verdict state_told(const std::vector<Told>& states, WaitStatus of_task, int heartbeat = 204, bool starts_it = true) {
  Story story(command_case());
  start(story);
  if (starts_it) story.then(Request{"run", 1, "PATCH", "/run", "{}"}).then(Reply{"run", 1, 204, "status"});
  story.then(Request{"heartbeat", 1, "PUT", "/heartbeat", ""}).then(Reply{"heartbeat", 1, heartbeat, "status"});
  if (heartbeat != 204) story.asked();
  story.exits(task, of_task).exits(helper, WaitStatus{});
  if (heartbeat == 204) story.then(TeardownAsked{"the task has ended", cause::task_ended});
  for (const Told& each : states) {
    story.then(Request{"state", 1, "PATCH", "/state", "{\"state\": \"" + each.state + "\"}"}).then(Reply{"state", 1, each.reply, "status"});
  }
  return verdict_on(story.exits(supervisor, WaitStatus{}).census(), "state-reported");
}

TEST(JudgeCommand, TheServerIsToldOneFinalStateThatIsRight) {
  const WaitStatus well, badly = WaitStatus::exited_with(3);
  EXPECT_EQ(state_told({{"success"}}, well).outcome, Outcome::held);
  EXPECT_EQ(state_told({{"failed"}}, badly).outcome, Outcome::held);
  EXPECT_EQ(state_told({{"success"}}, badly).outcome, Outcome::broken);
  EXPECT_EQ(state_told({{"failed"}}, well).outcome, Outcome::broken);
  EXPECT_EQ(state_told({}, well).outcome, Outcome::broken);
  EXPECT_EQ(state_told({{"failed"}, {"failed"}}, badly).outcome, Outcome::broken);
  EXPECT_EQ(state_told({{"failed", 500}, {"failed"}}, badly).outcome, Outcome::held);  // told again: it was not taken
  EXPECT_EQ(state_told({{"up_for_retry"}}, badly).outcome, Outcome::skipped);
}

TEST(JudgeCommand, WhatTheServerDecidedNeedsNoFinalState) {
  EXPECT_EQ(state_told({}, WaitStatus::killed_by(15), 409).outcome, Outcome::held);
  EXPECT_EQ(state_told({}, WaitStatus::killed_by(15), 500).outcome, Outcome::broken);
}

TEST(JudgeCommand, OneThatNeverReportsToTheServerIsNotJudgedByIt) {
  EXPECT_EQ(state_told({}, WaitStatus{}, 204, false).outcome, Outcome::skipped);
}

/// A start that the server refuses.
std::map<std::string, Verdict> refused(bool starts_it) {
  Case one = command_case();
  one.faults = {{"heartbeat-reply", {{"after", std::string("start")}, {"status", std::int64_t{401}}}}};
  Story story(one);
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(Request{"run", 1, "PATCH", "/run", ""});
  story.then(FaultEstablished{"heartbeat-reply", "it has asked"}).then(Reply{"run", 1, 401, "status"}).then(FaultFired{"heartbeat-reply", "401"}).asked();
  if (starts_it) story.then(Spawned{task, supervisor, 0, "task"}).then(Ready{task, 0, 2, 2, 2}).then(TreeReady{1}).exits(task, WaitStatus{});
  return judge(story.exits(supervisor, WaitStatus::exited_with(1)).census().whole());
}

TEST(JudgeCommand, ARefusedStartBringsUpNoTree) {
  const auto verdicts = refused(false);
  for (const auto& [oracle, verdict] : verdicts) EXPECT_LT(verdict.outcome, Outcome::unknown) << oracle << ": " << verdict.because;
  EXPECT_EQ(verdicts.at("no-orphans").outcome, Outcome::held);
  EXPECT_EQ(verdicts.at("teardown-bounded").outcome, Outcome::held);
  EXPECT_EQ(refused(true).at("state-reported").outcome, Outcome::broken);
}

// --- its listener, by the kernel's tables

Verdict listener(std::vector<Pid> while_it_lived, std::vector<Pid> when_it_was_gone, const std::string& trouble = "") {
  Story story(command_case());
  start(story).then(ListenersSeen{"tree-ready", "", {{"socket:[7]", "127.0.0.1:80", std::move(while_it_lived)}}});
  story.asked().exits(supervisor, WaitStatus{}).census({{task, warden_pid, task, task, "S", false, "task"}});
  ListenersSeen last{"conclusion", trouble, {}};
  if (!when_it_was_gone.empty()) last.listeners.push_back({"socket:[7]", "127.0.0.1:80", std::move(when_it_was_gone)});
  return verdict_on(story.then(std::move(last)), "no-inherited-descriptors");
}

TEST(JudgeCommand, AListenerThatOutlivesItsOpenerIsInherited) {
  const Verdict verdict = listener({supervisor, task}, {task});
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("task (pid 3) has 127.0.0.1:80 open"));
  EXPECT_EQ(listener({supervisor}, {}).outcome, Outcome::held);
  EXPECT_EQ(listener({task}, {task}).outcome, Outcome::skipped);  // its own alone
  EXPECT_EQ(listener({supervisor, task}, {}, "no /proc").outcome, Outcome::unknown);
}

// --- its task's output

Verdict output(std::uint64_t came_out, bool while_the_task_lived, bool written = true, bool ends = true) {
  Case one = command_case();
  one.tree.output_bytes = 8192, one.tree.write_size_bytes = 4096;  // 8190 letters
  Story story(one);
  start(story);
  if (came_out > 0 && while_the_task_lived) story.then(OutputCounted{supervisor, "stdout", "came out", 100});
  if (written) story.then(OutputCounted{task, "stdout", "written", 8192});
  story.exits(task, WaitStatus{}).then(TeardownAsked{"the task has ended", cause::task_ended});
  if (came_out > 0 && !while_the_task_lived) story.then(OutputCounted{supervisor, "stdout", "came out", 100});
  if (ends) story.exits(supervisor, WaitStatus{});
  return verdict_on(story.census().then(OutputCounted{supervisor, "stdout", "came out", came_out}), "no-lost-output");
}

TEST(JudgeCommand, WhatItPassesOnItPassesOnWhole) {
  EXPECT_EQ(output(8190, true).outcome, Outcome::held);
  EXPECT_EQ(output(8190, false).outcome, Outcome::held);
  EXPECT_EQ(output(8000, true).outcome, Outcome::broken);
  EXPECT_EQ(output(0, true).outcome, Outcome::skipped);      // it does not pass it on
  EXPECT_EQ(output(8000, false).outcome, Outcome::unknown);  // perhaps a part was meant
  EXPECT_EQ(output(9000, true).outcome, Outcome::skipped);   // it tells some of it twice
  EXPECT_EQ(output(8000, true, false).outcome, Outcome::skipped);
  EXPECT_EQ(output(8000, true, true, false).outcome, Outcome::skipped);
}

}  // namespace
}  // namespace forkproof::oracles
