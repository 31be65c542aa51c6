#include "harness/core/server_plan.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

TEST(ServerPlan, AnswersEveryHeartbeatAlikeWhenNothingIsPlanned) {
  EXPECT_EQ(ServerPlan{}.heartbeat(1), 204);
  EXPECT_EQ(ServerPlan{}.heartbeat(1000), 204);
}

TEST(ServerPlan, AStatusCountsFromItsHeartbeatOn) {
  ServerPlan plan;
  plan.from_heartbeat = {{3, 409}, {5, 404}};
  EXPECT_EQ(plan.heartbeat(2), 204);
  EXPECT_EQ(plan.heartbeat(3), 409);
  EXPECT_EQ(plan.heartbeat(4), 409);
  EXPECT_EQ(plan.heartbeat(5), 404);
  EXPECT_EQ(plan.heartbeat(6), 404);
}

}  // namespace
}  // namespace forkproof
