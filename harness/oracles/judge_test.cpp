// All promises together: a history that is not whole carries no verdict, whatever it shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "harness/oracles/history_builder_for_test.h"
#include "harness/oracles/oracle.h"

namespace forkproof::oracles {
namespace {

using testing::HasSubstr;
using Verdicts = std::map<std::string, Verdict>;

const WaitStatus well = WaitStatus::exited_with(0), killed = WaitStatus::killed_by(15);

Case with_a_fault() {
  Case one = small_case();
  one.faults = {{"heartbeat-reply", {{"status", std::int64_t{409}}}}};
  return one;
}

/// The task is revoked and all goes well. `established` and `fired` leave one event out.
Story good_story(bool established = true, bool fired = true) {
  Story story(with_a_fault());
  story.start();
  if (established) story.then(FaultEstablished{"heartbeat-reply", "all are up"});
  story.then(Reply{"heartbeat", 3, 409});
  if (fired) story.then(FaultFired{"heartbeat-reply", "409"});
  story.asked().then(Signalled{supervisor, -task, 15, 0});
  story.exits(helper, killed).exits(task, killed).then(Reaped{supervisor, task, killed, false});
  story.then(StateConcluded{supervisor, "server-terminated"}).then(SelectorClosed{supervisor, 9, "end"});
  story.exits(supervisor, well).then(Reaped{warden_pid, supervisor, well, false}).census();
  story.then(FaultHealed{"heartbeat-reply"});
  return story;
}

void expect_all_unknown(const History& history, const std::string& because) {
  const Verdicts verdicts = judge(history);
  EXPECT_EQ(verdicts.size(), oracles().size());
  for (const auto& [oracle, verdict] : verdicts) {
    EXPECT_EQ(verdict.outcome, Outcome::unknown) << oracle;
    EXPECT_THAT(verdict.because, HasSubstr(because)) << oracle;
  }
}

bool any_held(const History& history) {
  for (const auto& [oracle, verdict] : judge(history)) {
    if (verdict.outcome == Outcome::held) return true;
  }
  return false;
}

/// The supervisor is to be held when it comes to its end, the second time: it comes there as often as is said.
Story story_with_a_hold(int times_reached) {
  Case one = small_case();
  one.holds = {{"supervisor", "concluded", 2, "", "ready"}};
  Story story(one);
  story.start().asked();
  for (std::int64_t number = 1; number <= times_reached; ++number) story.then(SyncPointReached{supervisor, "supervisor", "concluded", number, number == 2});
  story.exits(helper, killed).exits(task, killed).then(Reaped{supervisor, task, killed, false});
  story.then(StateConcluded{supervisor, "server-terminated"}).then(SelectorClosed{supervisor, 9, "end"});
  return story;
}

TEST(Judge, NothingIsHeldWhereAHoldWasNeverReached) {
  for (const int times : {0, 1}) {
    Story story = story_with_a_hold(times);
    story.exits(supervisor, well).census();
    const Verdicts verdicts = judge(story.whole());
    EXPECT_FALSE(any_held(story.so_far())) << times;
    EXPECT_EQ(verdicts.at("no-orphans").outcome, Outcome::unknown);
    EXPECT_THAT(verdicts.at("no-orphans").because, HasSubstr("the hold of supervisor at concluded, time 2, was never reached"));
  }
  Story story = story_with_a_hold(2);
  story.exits(supervisor, well).census();
  EXPECT_EQ(judge(story.whole()).at("no-orphans").outcome, Outcome::held);
}

TEST(Judge, WhatBreaksIsBrokenWhetherAHoldWasReachedOrNot) {
  Story story = story_with_a_hold(0);
  story.exits(supervisor, well).census({{5, 1, 5, 5, "S", false, "left"}});
  const Verdicts verdicts = judge(story.whole());
  EXPECT_EQ(verdicts.at("no-orphans").outcome, Outcome::broken);
  EXPECT_EQ(verdicts.at("selector-intact").outcome, Outcome::unknown);
}

TEST(Oracles, EachHasAKeyAndAPromise) {
  std::set<std::string_view> keys;
  for (const OracleRow& row : oracles()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_FALSE(row.promise.empty()) << row.key;
  }
}

TEST(Judge, AWholeHistoryOfAGoodRunHoldsEveryPromise) {
  const Verdicts verdicts = judge(good_story().whole());
  EXPECT_EQ(verdicts.size(), oracles().size());
  // What did not come up in it (a listener, output, a signal from outside) is promised nothing.
  for (const auto& [oracle, verdict] : verdicts) EXPECT_LE(verdict.outcome, Outcome::skipped) << oracle << verdict.because;
  EXPECT_TRUE(any_held(good_story().whole()));
}

TEST(Judge, AWholeHistoryOfABadRunBreaksWhatItBreaks) {
  Story story(small_case());
  story.start().asked().exits(task, well).then(Reaped{supervisor, task, well, false});
  story.exits(supervisor, well).census({{helper, warden_pid, 3, 3, "S", false, "helper"}});
  Verdicts verdicts = judge(story.whole());
  EXPECT_EQ(verdicts["no-orphans"].outcome, Outcome::broken);
  EXPECT_EQ(verdicts["state-reported"].outcome, Outcome::broken);
  EXPECT_EQ(verdicts["teardown-bounded"].outcome, Outcome::held);
}

TEST(Judge, ARunThatWasCutOffIsUnknown) { expect_all_unknown(good_story().so_far(), "the run was cut off"); }

TEST(Judge, NothingAtAllIsUnknown) { expect_all_unknown(History{}, "the run was cut off"); }

TEST(Judge, LinesThatCannotBeReadMakeItUnknown) {
  History history = good_story().whole();
  history.unreadable_lines = 1;
  expect_all_unknown(history, "1 lines cannot be read");
}

TEST(Judge, DamageMakesItUnknownWhateverItSays) {
  History history = good_story().whole();
  history.damage = "line 3 is empty";
  expect_all_unknown(history, "the history is damaged: line 3 is empty");
  history.damage.clear();
  EXPECT_EQ(judge(history)["no-orphans"].outcome, Outcome::held);
}

TEST(Judge, TroubleInTheHarnessMakesItUnknown) {
  expect_all_unknown(good_story().then(Trouble{"control socket", "no such event"}).whole(), "control socket: no such event");
}

TEST(Judge, AFaultThatWasNotEstablishedOrDidNotFireMakesItUnknown) {
  expect_all_unknown(good_story(false, true).whole(), "heartbeat-reply was never established");
  expect_all_unknown(good_story(true, false).whole(), "heartbeat-reply never fired");
}

TEST(Judge, EveryFaultOfTheCaseCounts) {
  Case one = with_a_fault();
  one.faults.push_back({"stuck-pipe", {}});
  Story story(one);
  story.start().then(FaultEstablished{"heartbeat-reply", ""}).then(FaultFired{"heartbeat-reply", ""}).census();
  expect_all_unknown(story.whole(), "stuck-pipe was never established");
}

TEST(Judge, AFaultThatAStuckSupervisorDidNotComeToDoesNotCount) {
  Case one = with_a_fault();
  one.faults.push_back({"fork-after-thread", {}});
  const Stuck stuck{supervisor, "supervisor", "deadlock", true, 3ms, "its own fork waits"};
  Story story(one);
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"}).then(SelectorOpened{supervisor, 9});
  story.then(FaultEstablished{"fork-after-thread", "held"}).then(FaultFired{"fork-after-thread", "it spawns"}).then(stuck);
  story.asked().exits(supervisor, killed).census();
  Verdicts verdicts = judge(story.whole());
  EXPECT_EQ(verdicts["no-stuck-process"].outcome, Outcome::broken);
  EXPECT_EQ(verdicts["state-reported"].outcome, Outcome::broken);
  EXPECT_EQ(verdicts["no-orphans"].outcome, Outcome::held);
}

TEST(Judge, ASupervisorThatIsProvedStuckBeforeAnyFaultStruckBreaksThatPromiseAlone) {
  Story story(with_a_fault());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  story.then(Stuck{supervisor, "supervisor", "cycle", true, 3ms, "it waits for its task, which waits for it"});
  story.asked().exits(supervisor, killed).census();
  for (const auto& [oracle, verdict] : judge(story.whole())) {
    const bool stuck = oracle == "no-stuck-process";
    EXPECT_EQ(verdict.outcome, stuck ? Outcome::broken : Outcome::unknown) << oracle << ": " << verdict.because;
  }
}

TEST(Judge, ASupervisorThatSeemedStuckBeforeAnyFaultStruckMakesItUnknown) {
  Story story(with_a_fault());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  story.then(Stuck{supervisor, "supervisor", "spinning", false, 3ms, "it computes"}).asked().exits(supervisor, killed).census();
  expect_all_unknown(story.whole(), "heartbeat-reply was never established");
}

TEST(Judge, AProofInARunThatWasCutOffProvesNothing) {
  Story story(with_a_fault());
  story.then(Spawned{supervisor, warden_pid, -1, "supervisor"});
  story.then(Stuck{supervisor, "supervisor", "cycle", true, 3ms, "it waits for its task, which waits for it"});
  expect_all_unknown(story.so_far(), "the run was cut off");
}

TEST(Judge, ACaseThatCannotBeReadIsUnknownNotACrash) {
  History history;
  history.append({0ns, CaseOpened{"not json"}});
  history.append({1ns, RunEnded{"", 1}});
  for (const auto& [oracle, verdict] : judge(history)) EXPECT_EQ(verdict.outcome, Outcome::unknown) << oracle;
}

TEST(Judge, HoldsNothingWhenAnyOneEventIsMissing) {
  const History whole = good_story().whole();
  for (std::size_t missing = 0; missing < whole.size(); ++missing) {
    History rest;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (i != missing) rest.append(whole[i]);
    }
    EXPECT_FALSE(any_held(rest)) << "without " << kind_of(whole[missing].what);
  }
}

TEST(Judge, HoldsNothingWhenAnyOneEventIsThereTwice) {
  const History whole = good_story().whole();
  for (std::size_t twice = 0; twice < whole.size(); ++twice) {
    History more;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      more.append(whole[i]);
      if (i == twice) more.append(whole[i]);
    }
    EXPECT_FALSE(any_held(more)) << "with two of " << kind_of(whole[twice].what);
  }
}

RC_GTEST_PROP(Judge, HoldsNothingWhenAnySetOfEventsIsMissing, ()) {
  const History whole = good_story().whole();
  const std::size_t surely = *rc::gen::inRange<std::size_t>(0, whole.size());
  History rest;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i != surely && *rc::gen::weightedElement<bool>({{3, true}, {1, false}})) rest.append(whole[i]);
  }
  RC_ASSERT_FALSE(any_held(rest));
}

}  // namespace
}  // namespace forkproof::oracles
