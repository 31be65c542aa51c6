// The delivered profiles; the scenarios, which need the words of all rooms, are read in harness/run/plan_test.cpp.
#include "harness/scenario/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "harness/core/error.h"
#include "harness/scenario/profile_file.h"

namespace forkproof::scenario {
namespace {

const std::string scenarios = FORKPROOF_SOURCE "/scenarios";

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
    if (name.rfind("exemplary-", 0) != 0 || name == "exemplary-slow") continue;  // that one has another pace, and is right
    const Profile profile = read_profile(scenarios + "/profiles", name);
    int wrong = 0;
    for (const Knob& knob : knobs()) wrong += knob.values[knob.get(profile)].worth == Worth::wrong;
    EXPECT_EQ(wrong, 1) << name;
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
