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

TEST(ServerPlan, FromTheMomentOnEveryHeartbeatIsAnsweredSo) {
  std::atomic<bool> now{false};
  ServerPlan plan;
  plan.from_moment = 409;
  plan.moment = &now;
  EXPECT_EQ(plan.heartbeat(1), 204);
  now = true;
  EXPECT_EQ(plan.heartbeat(2), 409);
}

TEST(ServerPlan, ThatWhichIsNotAskedForIsNotFound) {
  ServerPlan plan;
  plan.run_status = 401;
  EXPECT_EQ(plan.to("run", 1), 401);
  EXPECT_EQ(plan.to("state", 1), 204);
  EXPECT_EQ(plan.to("/favicon.ico", 1), 404);
}

TEST(ServerPlan, OnlyAReplyThatCannotComeInTimeIsNotWorthWaitingFor) {
  for (const ReplyKind kind : {ReplyKind::hang, ReplyKind::late}) EXPECT_TRUE(PlannedReply(204, kind).never_in_time());
  for (const ReplyKind kind : {ReplyKind::status, ReplyKind::reset, ReplyKind::garbage, ReplyKind::half_close}) {
    EXPECT_FALSE(PlannedReply(204, kind).never_in_time());
  }
}

TEST(ServerPlan, EachKindOfReplyHasAWordOfItsOwn) {
  for (const ReplyKind kind : {ReplyKind::status, ReplyKind::reset, ReplyKind::hang, ReplyKind::late,
                               ReplyKind::garbage, ReplyKind::half_close}) {
    EXPECT_EQ(reply_kind_from(word(kind)), kind);
  }
  EXPECT_EQ(reply_kind_from("slow"), std::nullopt);
}

}  // namespace
}  // namespace forkproof
