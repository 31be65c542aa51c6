#include "harness/core/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/core/case.h"

namespace forkproof {
namespace {

using namespace std::chrono_literals;

std::ptrdiff_t count_of(const Knob& knob, Worth worth) {
  return std::count_if(knob.values.begin(), knob.values.end(), [worth](const KnobValue& v) { return v.worth == worth; });
}

TEST(Knobs, EachHasOneRightValueUnlessItIsAShape) {
  for (const Knob& knob : knobs()) {
    const auto shapes = count_of(knob, Worth::shape);
    if (shapes > 0) {
      EXPECT_EQ(shapes, std::ssize(knob.values)) << knob.key;
      continue;
    }
    EXPECT_EQ(count_of(knob, Worth::right), 1) << knob.key;
    EXPECT_GE(count_of(knob, Worth::wrong), 1) << knob.key;
  }
}

TEST(Knobs, EachValueSaysWhatItDoesAndWhoSaysSo) {
  for (const Knob& knob : knobs()) {
    EXPECT_FALSE(knob.about.empty()) << knob.key;
    for (const KnobValue& value : knob.values) {
      EXPECT_FALSE(value.about.empty()) << knob.key << " = " << value.word;
      EXPECT_FALSE(value.source.empty()) << knob.key << " = " << value.word;
    }
  }
}

TEST(Knobs, KeysAndWordsAreUnique) {
  std::set<std::string_view> keys;
  for (const Knob& knob : knobs()) {
    EXPECT_TRUE(keys.insert(knob.key).second) << knob.key;
    std::set<std::string_view> words;
    for (const KnobValue& value : knob.values) EXPECT_TRUE(words.insert(value.word).second) << knob.key;
  }
}

TEST(Knobs, WhatIsSetIsGotAndNothingElseMoves) {
  for (const Knob& knob : knobs()) {
    for (std::size_t value = 0; value < knob.values.size(); ++value) {
      Profile profile;
      knob.set(profile, value);
      EXPECT_EQ(knob.get(profile), value) << knob.key;
      knob.set(profile, 0);
      EXPECT_EQ(profile, Profile{}) << knob.key << " has touched another field";
    }
  }
}

TEST(Knobs, AFreshProfileHasTheRightValues) {  // so a profile that says nothing is not wrong by accident
  for (const Knob& knob : knobs()) {
    EXPECT_NE(knob.values[knob.get(Profile{})].worth, Worth::wrong) << knob.key;
  }
}

TEST(Knobs, AnEnumeratorKnowsItsWord) {
  EXPECT_EQ(word(TaskGroup::session_in_child), "session-in-child");
  EXPECT_EQ(word(ChildSignal::default_), "default");
  EXPECT_EQ(word(CleanupTimeout::wait_for_ever), "wait-for-ever");
}

TEST(DeclaredTeardown, IsTheSumOfTheLaddersWaitsAndTheCleanUpScaled) {
  Profile profile;
  profile.stop_signals = {15, 9};
  profile.stop_delay = 5s;
  profile.socket_cleanup = 60s;
  profile.time_scale = 1.0;
  EXPECT_EQ(declared_teardown(profile), 70s);
  profile.time_scale = 0.01;
  EXPECT_EQ(declared_teardown(profile), 700ms);
  profile.stop_signals = {2, 15, 9};
  EXPECT_EQ(declared_teardown(profile), 750ms);
}

TEST(DeclaredTeardown, AWaitForEverDeclaresNoCleanUp) {
  Profile profile;
  profile.stop_delay = 5s;
  profile.time_scale = 1.0;
  profile.on_cleanup_timeout = CleanupTimeout::wait_for_ever;
  EXPECT_EQ(declared_teardown(profile), 10s);
}

TEST(HttpPause, ItsMostDoublesAndItsLeastStays) {
  Profile profile;
  profile.http_retry_first = 1s, profile.http_retry_most = 5s;
  EXPECT_EQ(http_pause(profile, 1).most, 1s);
  EXPECT_EQ(http_pause(profile, 2).most, 2s);
  EXPECT_EQ(http_pause(profile, 3).most, 4s);
  EXPECT_EQ(http_pause(profile, 4).most, 5s);
  EXPECT_EQ(http_pause(profile, 99).most, 5s) << "no overflow either";
  for (const int attempt : {1, 4, 99}) EXPECT_EQ(http_pause(profile, attempt).least, 1s) << attempt;
  profile.http_retry_most = 500ms;
  EXPECT_EQ(http_pause(profile, 1).least, 500ms) << "no pause is longer than the most";
}

// fixtures/supervisor/README.md: 3 heartbeats of 5 attempts, two waits of 5 s between them and 5 s for the
// kill took 38.4 to 46.7 s on the real client; with a server that hangs for 5 s an attempt, 117 s, and the
// loop stood still for 30 to 40 s a heartbeat.
TEST(HttpPause, AddUpToWhatWasMeasured) {
  const Profile profile;
  Nanos least{}, most{};
  for (int attempt = 1; attempt < profile.http_attempts; ++attempt) {
    least += http_pause(profile, attempt).least, most += http_pause(profile, attempt).most;
  }
  const Nanos waits = 2 * profile.heartbeat_interval + profile.stop_delay, middle = 3 * (least + most) / 2 + waits;
  EXPECT_GE(middle, 38.4s);
  EXPECT_LE(middle, 46.7s);
  EXPECT_LE(3 * least + waits, 36.6s) << "a server that resets: 36.6 s";
  const Nanos silence = profile.http_attempts * profile.http_timeout;
  EXPECT_EQ(silence + least, 29s);
  EXPECT_EQ(silence + most, 40s);
  EXPECT_NEAR(std::chrono::duration<double>(middle + 3 * silence).count(), 117, 3);
}

TEST(DeclaredServerPatience, IsAllAttemptsOfAllHeartbeatsThatMayFailWithTheirPauses) {
  Profile profile;
  profile.heartbeat_interval = 5s, profile.max_failed_heartbeats = 3;
  profile.http_attempts = 3, profile.http_timeout = 5s;
  profile.http_retry_first = 1s, profile.http_retry_most = 90s;
  profile.time_scale = 1.0;
  // 5 s between heartbeats, three attempts of 5 s, pauses of 1 and 2 s at the most.
  EXPECT_EQ(declared_server_patience(profile), 3 * (5s + 3 * 5s + 1s + 2s));
  profile.time_scale = 0.01;
  EXPECT_EQ(declared_server_patience(profile), 690ms);
}

TEST(Answer, EachHasOneWordAndComesBackFromIt) {
  for (const Answer answer : {Answer::dies, Answer::ignores, Answer::goes_on, Answer::exits}) {
    EXPECT_EQ(answer_from(word(answer)), answer);
  }
  EXPECT_EQ(answer_from("dies"), std::nullopt);  // the enumerator is not the word of the file
}

TEST(TaskTree, IsCountedByNodesAndLevels) {
  TaskNode root;
  EXPECT_EQ(count_nodes(root), 1U);
  EXPECT_EQ(count_levels(root), 1U);
  root.children.resize(2);
  root.children[1].children.resize(3);
  EXPECT_EQ(count_nodes(root), 6U);
  EXPECT_EQ(count_levels(root), 3U);
}

TEST(FaultSpec, ASettingThatIsNotThereHasTheGivenDefault) {
  FaultSpec fault{"heartbeat-reply", {{"status", std::int64_t{409}}, {"after", std::string("start")}}};
  EXPECT_EQ(fault.number("status", 1), 409);
  EXPECT_EQ(fault.number("missing", 7), 7);
  EXPECT_EQ(fault.word("after", "x"), "start");
  EXPECT_EQ(fault.word("missing", "x"), "x");
}

}  // namespace
}  // namespace forkproof
