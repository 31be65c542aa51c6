#include "harness/run/starts.h"

#include <gtest/gtest.h>

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;

TEST(Starts, TheFirstToSayHelloIsTheNode) {
  Starts starts;
  EXPECT_FALSE(starts.said_hello(0, 3, 2, 1ms));
  EXPECT_FALSE(starts.said_hello(1, 4, 3, 2ms));
}

TEST(Starts, ALaterOneIsTheNodeStartedAgain) {
  Starts starts;
  (void)starts.said_hello(0, 3, 2, 1ms);
  starts.ended(0, 3, 5ms);
  const auto again = starts.said_hello(0, 9, 2, 7ms);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->number, 2);
  EXPECT_EQ(again->pid, 9);
  EXPECT_EQ(again->by, 2);
  EXPECT_EQ(again->after, 2ms);
}

TEST(Starts, OneBesideALivingOneHasNoPauseBeforeIt) {
  Starts starts;
  (void)starts.said_hello(0, 3, 2, 1ms);
  const auto beside = starts.said_hello(0, 9, 2, 7ms);
  ASSERT_TRUE(beside);
  EXPECT_EQ(beside->after, 0ms);
  starts.ended(0, 3, 8ms);  // the earlier one's end is not the later one's
  EXPECT_EQ(starts.said_hello(0, 10, 2, 9ms)->after, 0ms);
}

}  // namespace
}  // namespace forkproof::run
