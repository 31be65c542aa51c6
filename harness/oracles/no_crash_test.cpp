// What is a crash of the supervisor, and what only looks like one: each reason not to call it one has its twin that does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
namespace {

using testing::HasSubstr;

constexpr char traceback[] = "Traceback (most recent call last):";
constexpr char python[] = "/usr/bin/python3.11";

Case command_case() {
  Case one = small_case();
  one.subject = Command{.argv = {"runner"}};
  return one;
}

/// A command that has its task up, and has been asked to end.
Story asked(const std::string& program = python) {
  Story story(command_case());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  if (!program.empty()) story.then(Execed{supervisor, program});
  story.then(Spawned{task, supervisor, 0, "task"}).then(Ready{task, 0, supervisor, supervisor, supervisor}).then(TreeReady{1});
  return story.asked();
}

CrashLineSeen report(Nanos since, const std::string& before = "stopping", const std::string& next = "") {
  return {"python", traceback, "ValueError: I/O operation on closed epoll object", since, before, next};
}

Verdict ended(Story story, WaitStatus status) {
  story.exits(task, WaitStatus::killed_by(15)).exits(supervisor, status).census();
  return judge(story.whole()).at("no-crash");
}

Verdict ended(Story story, Happening seen, WaitStatus status) { return ended(std::move(story.then(std::move(seen))), status); }

const WaitStatus one = WaitStatus::exited_with(1);
constexpr Nanos late = 100ms;  // after all that has happened

TEST(NoCrash, AnUncaughtExceptionIsOne) {
  const Verdict verdict = ended(asked(), report(late), one);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_THAT(verdict.because, HasSubstr("closed epoll object"));
  EXPECT_EQ(verdict.evidence.size(), 2);
}

TEST(NoCrash, AnOrdinaryEndIsNone) {
  EXPECT_EQ(ended(asked(), one).outcome, Outcome::held);
  EXPECT_EQ(ended(asked(), WaitStatus::exited_with(0)).outcome, Outcome::held);
  EXPECT_EQ(ended(asked(), WaitStatus::killed_by(15)).outcome, Outcome::held);
}

TEST(NoCrash, AReportOfAnotherEndThanTheRuntimesIsAChildsOrACaughtOne) {
  EXPECT_EQ(ended(asked(), report(late), WaitStatus::exited_with(0)).outcome, Outcome::held);
  EXPECT_EQ(ended(asked(), report(late), WaitStatus::exited_with(143)).outcome, Outcome::held);
}

TEST(NoCrash, AReportOfAnotherProgramIsAChilds) {
  EXPECT_EQ(ended(asked("/bin/bash"), report(late), one).outcome, Outcome::held);
  EXPECT_EQ(ended(asked(""), report(late), one).outcome, Outcome::unknown);  // nobody saw what it ran
}

TEST(NoCrash, AWrappedSupervisorsCrashIsTheCommands) {
  const auto wrapped = [](const std::string& program) {
    Story story(command_case());
    story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(Execed{supervisor, "/bin/sh"});
    story.then(Spawned{9, supervisor, stranger_node, "sh"}).then(Execed{9, program});
    story.then(Spawned{task, 9, 0, "task"}).then(Ready{task, 0, 9, 2, 2}).then(TreeReady{1}).asked();
    story.then(report(late)).then(Exited{9, "runner", one, true});
    return ended(std::move(story), WaitStatus::exited_with(0));
  };
  EXPECT_EQ(wrapped(python).outcome, Outcome::broken);
  EXPECT_EQ(wrapped("/bin/sh").outcome, Outcome::held);
}

TEST(NoCrash, OneThatWentOnHadCaughtIt) {
  Story went_on = asked();
  went_on.then(Request{"heartbeat", 4, "PUT", "/heartbeat", ""}).then(Request{"heartbeat", 5, "PUT", "/heartbeat", ""});
  EXPECT_EQ(ended(went_on, report(1ms), one).outcome, Outcome::held);
  Story perhaps = asked();
  perhaps.then(Request{"heartbeat", 4, "PUT", "/heartbeat", ""});
  EXPECT_EQ(ended(perhaps, report(8500us), one).outcome, Outcome::unknown);
  EXPECT_EQ(ended(perhaps, report(late), one).outcome, Outcome::broken);  // all of it was before
}

TEST(NoCrash, OneThatLivedOnUntilItWasAskedToEndMayHaveCaughtIt) {
  EXPECT_EQ(ended(asked(), report(1ms), one).outcome, Outcome::unknown);
}

TEST(NoCrash, WhatIsPrintedAfterItOrByALogLeavesItOpen) {
  EXPECT_EQ(ended(asked(), report(late, "stopping", "going on"), one).outcome, Outcome::unknown);
  EXPECT_EQ(ended(asked(), report(late, "ERROR:root:heartbeat failed"), one).outcome, Outcome::unknown);
}

TEST(NoCrash, ARuntimeThatIsNotKnownLeavesItOpen) {
  EXPECT_EQ(ended(asked(), CrashLineSeen{"cobol", "ABEND", "", late, "", ""}, one).outcome, Outcome::unknown);
}

TEST(NoCrash, ACompiledProgramHasAnyName) {
  const CrashLineSeen panic{"go-panic", "panic: boom", "main.main()", late, "", ""};
  EXPECT_EQ(ended(asked("/opt/runner"), panic, WaitStatus::exited_with(2)).outcome, Outcome::broken);
  EXPECT_EQ(ended(asked("/bin/sh"), panic, WaitStatus::exited_with(2)).outcome, Outcome::held);  // a script prints what it likes
  EXPECT_EQ(ended(asked("/opt/runner"), panic, one).outcome, Outcome::held);
}

TEST(NoCrash, ADeathBySegvCountsByItsSender) {
  const WaitStatus segv = WaitStatus::killed_by(11);
  EXPECT_EQ(ended(asked(), SignalSeen{supervisor, 11, 0, "fault"}, segv).outcome, Outcome::broken);
  EXPECT_EQ(ended(asked(), SignalSeen{supervisor, 11, task, "kill"}, segv).outcome, Outcome::held);
  EXPECT_EQ(ended(asked(), SignalSeen{supervisor, 11, 0, "kill"}, segv).outcome, Outcome::unknown);
  EXPECT_EQ(ended(asked(), segv).outcome, Outcome::unknown);  // nobody saw who sent it
  EXPECT_EQ(ended(asked(), Signalled{warden_pid, supervisor, 11, 0}, segv).outcome, Outcome::held);
}

TEST(NoCrash, AnAbortIsItsOwn) {
  const WaitStatus aborted = WaitStatus::killed_by(6);
  EXPECT_EQ(ended(asked(), SignalSeen{supervisor, 6, supervisor, "tgkill"}, aborted).outcome, Outcome::broken);
  const CrashLineSeen terminate{"c++", "terminate called after throwing an instance of 'x'", "", late, "", ""};
  EXPECT_EQ(ended(asked("/opt/runner"), terminate, aborted).outcome, Outcome::broken);  // the line tells who
}

TEST(NoCrash, AHelperOfItsOwnCodeCountsAndOtherProgramsDoNot) {
  const auto helper_dies = [](const std::string& program) {
    Story story = asked();
    story.then(Spawned{9, supervisor, stranger_node, "python3"});
    if (!program.empty()) story.then(Execed{9, program});
    story.then(SignalSeen{9, 11, 0, "fault"}).then(Exited{9, "x", WaitStatus::killed_by(11), true});
    return ended(std::move(story), WaitStatus::exited_with(0)).outcome;
  };
  EXPECT_EQ(helper_dies(""), Outcome::broken);  // forked, and no other program
  EXPECT_EQ(helper_dies(python), Outcome::broken);
  EXPECT_EQ(helper_dies("/usr/bin/convert"), Outcome::held);
}

TEST(NoCrash, OneThatTheRigKilledIsNotJudged) {
  EXPECT_EQ(ended(asked(), Signalled{warden_pid, supervisor, 9, 0}, WaitStatus::killed_by(9)).outcome, Outcome::skipped);
}

Verdict model_ended(std::vector<Happening> told, WaitStatus status) {
  Story story(small_case());
  story.start().asked();
  for (Happening& each : told) story.then(std::move(each));
  story.exits(task, WaitStatus::exited_with(0)).exits(helper, WaitStatus::exited_with(0)).exits(supervisor, status).census();
  return judge(story.whole()).at("no-crash");
}

TEST(NoCrash, AModelWhoseLoopFailedWithoutAFinalStateHasCrashed) {
  EXPECT_EQ(model_ended({SubjectFailed{supervisor, "ValueError"}}, one).outcome, Outcome::broken);
  EXPECT_EQ(model_ended({SubjectFailed{supervisor, "ValueError"}, StateConcluded{supervisor, "failed"}}, one).outcome, Outcome::held);
  EXPECT_EQ(model_ended({StateConcluded{supervisor, "success"}}, WaitStatus::exited_with(0)).outcome, Outcome::held);
  EXPECT_EQ(model_ended({}, WaitStatus::killed_by(11)).outcome, Outcome::broken);
  EXPECT_EQ(model_ended({Signalled{supervisor, -supervisor, 15, 0}}, WaitStatus::killed_by(15)).outcome, Outcome::held);
}

}  // namespace
}  // namespace forkproof::oracles
