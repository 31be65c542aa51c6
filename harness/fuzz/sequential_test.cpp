#include "harness/fuzz/sequential.h"

#include <gtest/gtest.h>

namespace forkproof::fuzz {
namespace {

TEST(SequentialTest, OneRunAtATimeUntilOneHasBroken) {
  SequentialTest test(3, 3);
  EXPECT_TRUE(test.wants_run());
  test.started();
  EXPECT_FALSE(test.wants_run());
  test.ended(true);
  EXPECT_TRUE(test.promising());
  test.started(), test.started();
  EXPECT_FALSE(test.wants_run());  // two more are needed, and two are under way
  test.ended(true), test.ended(true);
  EXPECT_TRUE(test.passed());
  EXPECT_FALSE(test.wants_run());
}

TEST(SequentialTest, StopsAsSoonAsItCannotPassAnyMore) {
  SequentialTest strict(3, 3);
  strict.started(), strict.ended(false);
  EXPECT_TRUE(strict.failed());
  EXPECT_FALSE(strict.wants_run());
  SequentialTest lenient(2, 3);
  lenient.started(), lenient.ended(false);
  EXPECT_FALSE(lenient.decided());
  EXPECT_TRUE(lenient.wants_run());
  lenient.started(), lenient.ended(false);
  EXPECT_TRUE(lenient.failed());
}

TEST(SequentialTest, WhatBreaksOftenEnoughPassesInSpiteOfARunThatHeld) {
  SequentialTest test(2, 3);
  test.started(), test.ended(true);
  test.started(), test.ended(false);
  EXPECT_FALSE(test.decided());
  EXPECT_TRUE(test.wants_run());
  test.started(), test.ended(true);
  EXPECT_TRUE(test.passed());
}

}  // namespace
}  // namespace forkproof::fuzz
