// The files that are delivered: each one is read.
#include "harness/scenario/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <regex>

#include "harness/core/error.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"

namespace forkproof::scenario {
namespace {

const std::string scenarios = FORKPROOF_SOURCE "/scenarios";

/// The keys of a table of another room, read as text, since this room does not know that room.
std::vector<std::string> keys_of(const std::string& table) {
  std::ifstream file(std::string(FORKPROOF_SOURCE "/harness/") + table);
  std::vector<std::string> keys;
  const std::regex row("^FORKPROOF_[A-Z]+\\([a-z0-9_]+, \"([^\"]+)\".*");
  for (std::string line; std::getline(file, line);) {
    if (std::smatch match; std::regex_match(line, match, row)) keys.push_back(match[1]);
  }
  EXPECT_FALSE(keys.empty()) << table;
  return keys;
}

/// With every setting name that a delivered file may use left to the fault's own tests: here only the words count.
Vocabulary delivered_words() {
  static constexpr Setting reply[] = {
      {.key = "status", .is_number = true, .required = true, .about = "", .least = 200, .most = 599},
      {.key = "after", .is_number = false, .required = false, .about = ""}};
  Vocabulary words;
  words.backends = keys_of("spawn/backends.def");
  words.oracles = keys_of("oracles/oracles.def");
  words.sync_points = {"forked", "before-exec", "spawned", "heartbeat", "stop-signalled", "concluded"};
  words.faults = {{"heartbeat-reply", {std::begin(reply), std::end(reply)}, nullptr}};
  return words;
}

TEST(Library, EveryProfileIsReadAndSaysWhereItIsFrom) {
  const auto names = names_in(scenarios + "/profiles");
  ASSERT_THAT(names, testing::Contains("exemplary"));
  for (const std::string& name : names) {
    const Profile profile = read_profile(scenarios + "/profiles", name);
    EXPECT_FALSE(profile.about.empty()) << name;
    EXPECT_FALSE(profile.source.empty()) << name;
  }
}

TEST(Library, ExemplaryHasNoWrongValue) {
  const Profile exemplary = read_profile(scenarios + "/profiles", "exemplary");
  for (const Knob& knob : knobs()) EXPECT_NE(knob.values[knob.get(exemplary)].worth, Worth::wrong) << knob.key;
}

TEST(Library, AProfileNamedAfterExemplaryHasOneWrongValue) {  // so that it shows that this value is caught
  for (const std::string& name : names_in(scenarios + "/profiles")) {
    if (name.rfind("exemplary-", 0) != 0) continue;
    const Profile profile = read_profile(scenarios + "/profiles", name);
    int wrong = 0;
    for (const Knob& knob : knobs()) wrong += knob.values[knob.get(profile)].worth == Worth::wrong;
    EXPECT_EQ(wrong, 1) << name;
  }
}

TEST(Library, EveryScenarioIsReadAndItsProfilesAreThere) {
  const Vocabulary words = delivered_words();
  const auto profiles = names_in(scenarios + "/profiles");
  const auto names = names_in(scenarios);
  ASSERT_THAT(names, testing::Contains("heartbeat-409"));
  for (const std::string& name : names) {
    const Scenario scenario = read_scenario(scenarios + "/" + name + ".toml", words);
    EXPECT_FALSE(scenario.source.empty()) << name;
    for (const std::string& profile : scenario.profiles) EXPECT_THAT(profiles, testing::Contains(profile)) << name;
  }
}

TEST(Library, NamesAreSortedAndOfTomlFilesOnly) {
  const auto names = names_in(scenarios);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, testing::Not(testing::Contains("profiles")));
  EXPECT_THAT(names_in("/no/such/folder"), testing::IsEmpty());
}

TEST(Library, IsWhereTheVariableSays) {
  ::setenv("FORKPROOF_SCENARIOS", scenarios.c_str(), 1);
  EXPECT_EQ(library_directory(), scenarios);
  ::setenv("FORKPROOF_SCENARIOS", "/no/such/folder", 1);
  EXPECT_THROW((void)library_directory(), BadInput);
  ::unsetenv("FORKPROOF_SCENARIOS");
  EXPECT_EQ(library_directory(), scenarios) << "where it stood when this was built";
}

}  // namespace
}  // namespace forkproof::scenario
