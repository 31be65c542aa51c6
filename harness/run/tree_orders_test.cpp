#include "harness/run/tree_orders.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>

#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;

TaskNode node(const std::string& role, std::vector<TaskNode> children = {}) {
  TaskNode made;
  made.role = role;
  made.children = std::move(children);
  return made;
}

Case case_with(TaskNode tree, const std::string& backend = "fork", RequestsChannel channel = RequestsChannel::on_stdin) {
  ModelSupervisor model;
  model.profile.requests_channel = channel;
  model.profile.time_scale = 0.01;
  model.backend = backend;
  Case one;
  one.subject = model;
  one.tree = std::move(tree);
  return one;
}

TEST(TreeOrders, AreBreadthFirstSoThatSiblingsFollowEachOther) {
  const auto all = tree_orders(case_with(node("r", {node("a", {node("a1"), node("a2")}), node("b", {node("b1")})})));
  std::string order;
  for (const Orders& each : all) order += std::string(each.role) + " ";
  EXPECT_EQ(order, "r a b a1 a2 b1 ");
  EXPECT_EQ(all[0].first_child, 1);
  EXPECT_EQ(all[0].child_count, 2);
  EXPECT_EQ(all[1].first_child, 3);
  EXPECT_EQ(all[1].child_count, 2);
  EXPECT_EQ(all[2].first_child, 5);
  EXPECT_EQ(all[2].child_count, 1);
  EXPECT_EQ(all[3].child_count, 0);
}

TEST(TreeOrders, SayWhatTheNodeSays) {
  TaskNode root{"helper", Answer::goes_on, Answer::exits, keeps_stdout, true, true, true, 4096, 7, 5s, {}};
  const Orders orders = tree_orders(case_with(root)).at(0);
  EXPECT_STREQ(orders.role, "helper");
  EXPECT_EQ(orders.on_term, static_cast<int>(Answer::goes_on));
  EXPECT_EQ(orders.on_int, static_cast<int>(Answer::exits));
  EXPECT_EQ(orders.keeps, keeps_stdout);
  EXPECT_TRUE(orders.own_session);
  EXPECT_TRUE(orders.double_fork);
  EXPECT_TRUE(orders.ends_with_children);
  EXPECT_EQ(orders.output_bytes, 4096U);
  EXPECT_EQ(orders.exit_code, 7);
  EXPECT_EQ(Nanos(orders.exits_after_ns), 50ms) << "scaled like the profile";
}

TEST(TreeOrders, ANodeThatStaysHasNoTime) { EXPECT_EQ(tree_orders(case_with(node("r"))).at(0).exits_after_ns, -1); }

TEST(TreeOrders, ACommandsTreeIsNotScaledAndHasNoChannels) {
  Case one;
  one.subject = Command{{"supervisord"}};
  one.tree.exits_after = 5s;
  const Orders root = tree_orders(one).at(0);
  EXPECT_EQ(Nanos(root.exits_after_ns), 5s);
  EXPECT_FALSE(root.task_runner);
  EXPECT_EQ(root.requests_fd, -1);
  EXPECT_EQ(root.logs_fd, -1);
}

TEST(TreeOrders, OnlyTheRootIsATaskRunner) {
  const auto all = tree_orders(case_with(node("r", {node("a")})));
  EXPECT_TRUE(all[0].task_runner);
  EXPECT_FALSE(all[1].task_runner);
  EXPECT_EQ(all[1].requests_fd, -1);
  EXPECT_EQ(all[1].logs_fd, -1);
}

TEST(TreeOrders, AChannelOfItsOwnIsWhereItIsWhateverTheBackend) {
  for (const auto& row : spawn::backends()) {
    const Orders root = tree_orders(case_with(node("r"), std::string(row.key), RequestsChannel::separate)).at(0);
    EXPECT_EQ(root.requests_fd, 3) << row.key;
    EXPECT_EQ(root.logs_fd, 4) << row.key;
  }
}

TEST(TreeOrders, TheSupervisorsSecondTaskStandsBehindTheTree) {
  Case one = case_with(node("r", {node("a"), node("b")}));
  EXPECT_EQ(second_task_of(one), -1);
  EXPECT_EQ(tree_orders(one).size(), 3U);
  std::get<ModelSupervisor>(one.subject).profile.sibling = Sibling::second_task;
  EXPECT_EQ(second_task_of(one), 3);
  const Orders second = tree_orders(one).at(3);
  EXPECT_EQ(second.node, 3);
  EXPECT_EQ(std::string(second.role), second_task_role);
  EXPECT_FALSE(second.task_runner);
  EXPECT_EQ(second.exits_after_ns, std::chrono::nanoseconds(4500ms).count()) << "450 s at this scale";
}

TEST(TreeOrders, OnStdinAReExecutedTaskHasToAskForItsLogs) {  // fixtures/supervisor/README.md: none is passed on
  for (const auto& row : spawn::backends()) {
    const Orders root = tree_orders(case_with(node("r"), std::string(row.key), RequestsChannel::on_stdin)).at(0);
    EXPECT_EQ(root.requests_fd, 0) << row.key;
    EXPECT_EQ(root.logs_fd, row.execs ? -1 : 3) << row.key;
  }
}

TaskNode any_tree(int levels) {
  TaskNode made;
  const int children = levels > 1 ? *rc::gen::inRange(0, 4) : 0;
  for (int i = 0; i < children; ++i) made.children.push_back(any_tree(levels - 1));
  return made;
}

RC_GTEST_PROP(TreeOrders, OfAnyTreeEveryNodeButTheRootHasOneParent, ()) {
  const TaskNode tree = any_tree(5);
  const auto all = tree_orders(case_with(tree));
  RC_ASSERT(all.size() == count_nodes(tree));
  std::int32_t next = 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    RC_ASSERT(all[i].node == static_cast<std::int32_t>(i));
    RC_ASSERT(all[i].first_child == next);
    RC_ASSERT(next > static_cast<std::int32_t>(i));  // parents before children
    next += all[i].child_count;
  }
  RC_ASSERT(next == static_cast<std::int32_t>(all.size()));
}

TEST(SecondTask, IsATaskSupervisorsAndComesLast) {
  Case one;
  ModelSupervisor model{Profile{}, "fork"};
  one.subject = model;
  EXPECT_EQ(second_task_of(one), -1);
  model.profile.sibling = Sibling::second_task;
  one.subject = model;
  EXPECT_EQ(second_task_of(one), 1);
  EXPECT_EQ(tree_orders(one).size(), 2U);
  model.profile.model = Model::prefork_master;
  one.subject = model;
  EXPECT_EQ(second_task_of(one), -1) << "a master starts workers, and nothing else";
}

}  // namespace
}  // namespace forkproof::run
