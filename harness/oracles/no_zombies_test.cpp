#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
Verdict no_zombies(const History& history);
namespace {

const WaitStatus well = WaitStatus::exited_with(0), killed = WaitStatus::killed_by(9);

TEST(NoZombies, HoldsWhenTheParentReapsItsDead) {
  Story story(small_case());
  story.start().asked().exits(task, killed).then(Reaped{supervisor, task, killed, false});
  story.exits(supervisor, well).then(Reaped{warden_pid, supervisor, well, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::held);
}

TEST(NoZombies, BreaksWhenTheCensusFindsOne) {
  Story story(small_case());
  story.start().asked().exits(helper, killed).census({{helper, task, 3, 3, "Z", true, "helper"}});
  const Verdict verdict = no_zombies(story.whole());
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "helper (pid 4) is dead and task-runner (pid 3) has not reaped it");
}

TEST(NoZombies, PidOnesOwnAreOnTheirWay) {  // the warden reaps in its next round
  Story story(small_case());
  story.start().asked().census({{helper, warden_pid, 3, 3, "Z", true, "helper"}});
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::held);
}

TEST(NoZombies, BreaksWhenTheSupervisorEndedAndLeftOneToPidOne) {
  Story story(small_case());
  story.start().asked().exits(task, killed).after(20ms, Exited{supervisor, "supervisor", well, true});
  story.then(Reaped{warden_pid, task, killed, false}).census();
  const History history = story.whole();
  const Verdict verdict = no_zombies(history);
  EXPECT_EQ(verdict.outcome, Outcome::broken);
  EXPECT_EQ(verdict.because, "task-runner (pid 3) was dead for 20.0 ms when the supervisor ended without having reaped it");
  ASSERT_EQ(verdict.evidence.size(), 3U);
  EXPECT_NE(history[verdict.evidence[2]].as<Reaped>(), nullptr);
}

TEST(NoZombies, WhoseParentNobodySawIsUnknown) {  // it may have been the supervisor's
  Story story(small_case());
  const Pid nobody_knows = 77;
  story.start().asked().exits(task, killed).then(Reaped{supervisor, task, killed, false}).exits(nobody_knows, killed);
  story.exits(supervisor, well).then(Reaped{warden_pid, nobody_knows, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::unknown);
}

TEST(NoZombies, OfASupervisorThatNobodySawIsUnknown) {
  Story story(small_case());
  story.asked().exits(task, killed).then(Reaped{warden_pid, task, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::unknown);
}

TEST(NoZombies, ASupervisorThatWasKilledHadNoChance) {
  Story story(small_case());
  story.start().asked().exits(task, killed).exits(supervisor, killed);
  story.then(Reaped{warden_pid, task, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::held);
}

TEST(NoZombies, WhoDiedAfterTheSupervisorIsPidOnes) {
  Story story(small_case());
  story.start().asked().exits(supervisor, well).exits(task, killed);
  story.then(Reaped{warden_pid, task, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::held);
}

TEST(NoZombies, WhoWasReParentedBeforeItDiedIsPidOnes) {
  Story story(small_case());
  story.start().asked().then(Reparented{helper, task, warden_pid, false}).exits(helper, killed);
  story.exits(supervisor, well).then(Reaped{warden_pid, helper, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::held);
}

TEST(NoZombies, WhoWasReParentedToTheSupervisorIsTheSupervisors) {  // a subreaper has to reap what it adopts
  Story story(small_case());
  story.start().asked().then(Reparented{helper, task, supervisor, false}).exits(helper, killed);
  story.exits(supervisor, well).then(Reaped{warden_pid, helper, killed, false}).census();
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::broken);
}

TEST(NoZombies, ATreeThatLivesOnWithoutItsSupervisorReapsInItsOwnTime) {
  Story story(small_case());
  story.start().then(Signalled{warden_pid, supervisor, 9, 0}).exits(supervisor, killed).exits(helper, well);
  story.census({{task, warden_pid, 3, 3, "S", false, "task-runner"}, {helper, task, 3, 3, "Z", true, "helper"}});
  EXPECT_EQ(no_zombies(story.whole()).outcome, Outcome::skipped);
}

TEST(NoZombies, IsUnknownWithoutACompleteCensus) {
  Story without(small_case());
  EXPECT_EQ(no_zombies(without.start().whole()).outcome, Outcome::unknown);
  Story incomplete(small_case());
  incomplete.start().then(CensusTaken{"conclusion", false, {}});
  EXPECT_EQ(no_zombies(incomplete.whole()).outcome, Outcome::unknown);
}

}  // namespace
}  // namespace forkproof::oracles
