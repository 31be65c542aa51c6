#include "harness/core/clipped.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

TEST(Clipped, WhatIsShortStays) {
  EXPECT_EQ(clipped(""), "");
  EXPECT_EQ(clipped("exemplary"), "exemplary");
  EXPECT_EQ(clipped("0123456789", 10), "0123456789");
}

TEST(Clipped, WhatIsLongSaysHowLong) {
  EXPECT_EQ(clipped("0123456789a", 10), "0123456789... (11 bytes)");
  EXPECT_EQ(clipped(std::string(70'000, 'x')), std::string(100, 'x') + "... (70000 bytes)");
}

TEST(Clipped, CutsBetweenCharacters) {
  EXPECT_EQ(clipped("12345\xe2\x82\xac\xe2\x82\xac", 7), "12345... (11 bytes)");
  EXPECT_EQ(clipped("\x80\x80\x80\x80", 2), "... (4 bytes)");
}

TEST(WithoutMiddle, KeepsBothEnds) {
  EXPECT_EQ(without_middle("short", 100), "short");
  std::string words;
  for (int i = 0; i < 3000; ++i) words += "x x ";
  const std::string shorter = without_middle("file.toml:3:1: " + words + "(did you mean 'y'?)", 200);
  EXPECT_LE(shorter.size(), 200U);
  EXPECT_TRUE(shorter.starts_with("file.toml:3:1: x"));
  EXPECT_TRUE(shorter.ends_with("x (did you mean 'y'?)"));
  EXPECT_NE(shorter.find(" [...] "), std::string::npos);
}

TEST(WithoutMiddle, AVeryLongWordLosesItsOwnFirst) {
  const std::string shorter = without_middle("--runs " + std::string(70'000, 'x') + ": wants a number", 1'900);
  EXPECT_LE(shorter.size(), 230U);
  EXPECT_TRUE(shorter.starts_with("--runs xxx")) << shorter;
  EXPECT_TRUE(shorter.ends_with("xxx: wants a number")) << shorter;
  EXPECT_NE(shorter.find("...(70001 bytes)..."), std::string::npos) << shorter;
}

}  // namespace
}  // namespace forkproof
