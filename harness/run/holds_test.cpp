#include "harness/run/holds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>

namespace forkproof::run {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A process that has announced a sync point and waits; `answered` looks whether it may go on.
struct WaitingProcess {
  Fd process;
  arena::Message message;

  WaitingProcess(const std::string& role, const std::string& point) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    process.reset(ends[0]);
    message.connection.reset(ends[1]);
    std::strcpy(message.head.role, role.c_str());
    std::strcpy(message.head.point, point.c_str());
  }
  [[nodiscard]] bool answered() const {
    Orders orders;
    return ::recv(process.get(), &orders, sizeof orders, MSG_DONTWAIT) == static_cast<ssize_t>(sizeof orders);
  }
};

class HoldsTest : public testing::Test {
 protected:
  Holds holds(std::vector<HoldRule> rules) {
    return {std::move(rules), [this](const arena::Message& message, const std::string& because) {
              told_.push_back(std::string(message.head.role) + ": " + because);
              message.answer();
            }};
  }
  std::vector<std::string> told_;
};

const HoldRule until_ready{"supervisor", "heartbeat", 3, "", "ready"};
const HoldRule until_forked{"supervisor", "spawned", 1, "task", "forked"};

TEST_F(HoldsTest, ARuleIsForOneRolePointAndNumber) {
  Holds some = holds({until_ready});
  EXPECT_NE(some.rule_for("supervisor", "heartbeat", 3), nullptr);
  EXPECT_EQ(some.rule_for("supervisor", "heartbeat", 2), nullptr);
  EXPECT_EQ(some.rule_for("supervisor", "spawned", 3), nullptr);
  EXPECT_EQ(some.rule_for("task", "heartbeat", 3), nullptr);
}

TEST_F(HoldsTest, CountsEachPointOfEachRoleFromOne) {
  Holds some = holds({});
  EXPECT_EQ(some.count("a", "forked"), 1);
  EXPECT_EQ(some.count("a", "forked"), 2);
  EXPECT_EQ(some.count("b", "forked"), 1);
  EXPECT_EQ(some.count("a", "spawned"), 1);
}

TEST_F(HoldsTest, LetsGoWhenTheTreeIsSettled) {
  Holds some = holds({until_ready});
  WaitingProcess waiting("supervisor", "heartbeat");
  some.hold(std::move(waiting.message), some.rule_for("supervisor", "heartbeat", 3));
  some.point_reached("task", "forked");
  some.role_is_gone("task");
  EXPECT_FALSE(waiting.answered());
  some.tree_is_settled("the whole tree is up");
  EXPECT_TRUE(waiting.answered());
  EXPECT_THAT(told_, ElementsAre("supervisor: the whole tree is up"));
}

TEST_F(HoldsTest, LetsGoWhenThePointIsReached) {
  Holds some = holds({until_forked});
  WaitingProcess waiting("supervisor", "spawned");
  some.hold(std::move(waiting.message), some.rule_for("supervisor", "spawned", 1));
  some.tree_is_settled("the whole tree is up");
  some.point_reached("task", "before-exec");
  some.point_reached("helper", "forked");
  EXPECT_FALSE(waiting.answered());
  some.point_reached("task", "forked");
  EXPECT_TRUE(waiting.answered());
  EXPECT_THAT(told_, ElementsAre("supervisor: task has reached forked"));
}

TEST_F(HoldsTest, LetsGoWhenWhatItWaitsForCanNeverCome) {
  Holds some = holds({until_forked});
  WaitingProcess waiting("supervisor", "spawned");
  some.hold(std::move(waiting.message), some.rule_for("supervisor", "spawned", 1));
  some.role_is_gone("task");
  EXPECT_TRUE(waiting.answered());
  EXPECT_THAT(told_, ElementsAre("supervisor: task is gone"));
}

TEST_F(HoldsTest, WhatHasHappenedHoldsNobody) {
  Holds some = holds({until_ready, until_forked});
  some.count("task", "forked");
  EXPECT_EQ(some.rule_for("supervisor", "spawned", 1), nullptr);
  some.tree_is_settled("the whole tree is up");
  EXPECT_EQ(some.rule_for("supervisor", "heartbeat", 3), nullptr);
}

TEST_F(HoldsTest, WhoIsGoneHoldsNobody) {
  Holds some = holds({until_forked});
  some.role_is_gone("task");
  EXPECT_EQ(some.rule_for("supervisor", "spawned", 1), nullptr);
}

TEST_F(HoldsTest, TwoThatWaitForEachOtherMeet) {  // the race of run-refused-at-once, as an order
  Holds some = holds({until_forked, {"task", "forked", 1, "supervisor", "stop-signalled"}});
  WaitingProcess supervisor("supervisor", "spawned"), task("task", "forked");
  some.count("supervisor", "spawned");
  some.hold(std::move(supervisor.message), some.rule_for("supervisor", "spawned", 1));
  some.count("task", "forked");
  some.hold(std::move(task.message), some.rule_for("task", "forked", 1));
  some.point_reached("task", "forked");
  EXPECT_TRUE(supervisor.answered());
  EXPECT_FALSE(task.answered());
  some.count("supervisor", "stop-signalled");
  some.point_reached("supervisor", "stop-signalled");
  EXPECT_TRUE(task.answered());
}

TEST_F(HoldsTest, LeavesTheAnswerToWhomItTells) {  // who may have to put it off still
  WaitingProcess waiting("supervisor", "heartbeat");
  std::optional<arena::Message> told;
  Holds some({until_ready}, [&](arena::Message message, const std::string&) { told = std::move(message); });
  some.hold(std::move(waiting.message), some.rule_for("supervisor", "heartbeat", 3));
  some.tree_is_settled("the whole tree is up");
  ASSERT_TRUE(told);
  EXPECT_FALSE(waiting.answered());
  told->answer();
  EXPECT_TRUE(waiting.answered());
}

TEST_F(HoldsTest, LetsAllOfOneKindGoInTheirOrder) {
  Holds some = holds({until_ready, {"other", "heartbeat", 1, "", "ready"}, until_forked});
  WaitingProcess first("supervisor", "heartbeat"), second("other", "heartbeat"), kept("supervisor", "spawned");
  some.hold(std::move(first.message), some.rule_for("supervisor", "heartbeat", 3));
  some.hold(std::move(kept.message), some.rule_for("supervisor", "spawned", 1));
  some.hold(std::move(second.message), some.rule_for("other", "heartbeat", 1));
  some.tree_is_settled("the whole tree is up");
  EXPECT_THAT(told_, ElementsAre("supervisor: the whole tree is up", "other: the whole tree is up"));
  EXPECT_FALSE(kept.answered());
  some.tree_is_settled("the whole tree is up");
  EXPECT_EQ(told_.size(), 2U) << "nobody is let go twice";
}

}  // namespace
}  // namespace forkproof::run
