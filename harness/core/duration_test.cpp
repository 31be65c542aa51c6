#include "harness/core/duration.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, HasThreeDigitsOrMoreWhateverTheSize) {
  EXPECT_EQ(text(0ns), "0.00 ms");
  EXPECT_EQ(text(310us), "0.31 ms");
  EXPECT_EQ(text(24ms), "24.0 ms");
  EXPECT_EQ(text(310ms), "310 ms");
  EXPECT_EQ(text(5020ms), "5.02 s");
  EXPECT_EQ(text(125s), "2 min 5 s");
}

TEST(DurationText, ChangesItsUnitAtTheBorder) {
  EXPECT_EQ(text(9990us), "9.99 ms");
  EXPECT_EQ(text(10ms), "10.0 ms");
  EXPECT_EQ(text(999ms), "999 ms");
  EXPECT_EQ(text(1s), "1.00 s");
  EXPECT_EQ(text(119s), "119.00 s");
  EXPECT_EQ(text(120s), "2 min 0 s");
}

TEST(DurationText, KeepsTheSignOfWhatWentBackwards) {
  EXPECT_EQ(text(-310us), "-0.31 ms");
  EXPECT_EQ(text(-5s), "-5.00 s");
}

TEST(Duration, ScalesAndConverts) {
  EXPECT_EQ(scaled(5s, 0.002), 10ms);
  EXPECT_EQ(scaled(5s, 1.0), 5s);
  EXPECT_EQ(from_seconds(0.25), 250ms);
  EXPECT_DOUBLE_EQ(in_seconds(1500ms), 1.5);
  for (const Nanos exact : {Nanos(1), Nanos(290'000'001), Nanos(4'100'000'000), Nanos(604'799'999'999'999)}) {
    EXPECT_EQ(from_seconds(in_seconds(exact)), exact);
  }
}

TEST(Duration, TheClockNeverGoesBack) {
  const Nanos before = monotonic_now();
  EXPECT_LE(before, monotonic_now());
  EXPECT_GT(before, 0ns);
}

}  // namespace
}  // namespace forkproof
