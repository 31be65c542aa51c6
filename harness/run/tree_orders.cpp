#include "harness/run/tree_orders.h"

#include <algorithm>
#include <cstring>

#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

constexpr Nanos second_task_lives = std::chrono::seconds(450);  // several times what any teardown may take

Orders orders_of(const TaskNode& node, double scale) {
  Orders orders;
  std::strncpy(orders.role, node.role.c_str(), sizeof orders.role - 1);
  orders.on_term = static_cast<std::uint8_t>(node.on_term);
  orders.on_int = static_cast<std::uint8_t>(node.on_int);
  orders.sigint = static_cast<std::uint8_t>(node.sigint);
  orders.own_session = node.own_session;
  orders.double_fork = node.double_fork;
  orders.ends_with_children = node.ends_with_children;
  orders.keeps = node.keeps;
  orders.exit_code = node.exit_code;
  orders.output_bytes = node.output_bytes;
  orders.write_size_bytes = node.write_size_bytes;
  if (node.exits_after) orders.exits_after_ns = scaled(*node.exits_after, scale).count();
  return orders;
}

/// Where a task under the model supervisor finds its channels (fixtures/supervisor/README.md): fd 0 is
/// `requests`, or fd 3 where that is separate; the log channel follows, but a re-executed child has to ask
/// for it.
void give_channels(const ModelSupervisor& model, Orders* root) {
  if (model.profile.model == Model::prefork_master) return;  // its workers speak no protocol
  const auto* backend = spawn::find_backend(model.backend);
  const bool separate = model.profile.requests_channel == RequestsChannel::separate;
  root->task_runner = true;
  root->requests_fd = separate ? 3 : 0;
  if (separate) root->logs_fd = 4;
  else if (backend != nullptr && !backend->execs) root->logs_fd = 3;
}

/// Ends by itself, so that whoever waits for it is seen to come on; else by SIGTERM.
Orders second_task_orders(std::int32_t node, double scale) {
  Orders orders;
  std::strncpy(orders.role, second_task_role, sizeof orders.role - 1);
  orders.node = node;
  orders.exits_after_ns = scaled(second_task_lives, scale).count();
  return orders;
}

bool only_under_a_schedule(const std::string& name) {
  return name == point::signalling || name == point::reaped || name == point::forking || name == point::leaving;
}

}  // namespace

std::int32_t second_task_of(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  const bool has_one = model != nullptr && model->profile.model == Model::task_supervisor &&
                       model->profile.sibling == Sibling::second_task;
  return has_one ? static_cast<std::int32_t>(count_nodes(one.tree)) : -1;
}

bool announces_every_point(const Case& one) {
  return !one.schedule.empty() || std::any_of(one.holds.begin(), one.holds.end(), [](const HoldRule& rule) {
    return only_under_a_schedule(rule.at) || only_under_a_schedule(rule.until_at);
  });
}

std::vector<Orders> tree_orders(const Case& one) {
  std::vector<Orders> all;
  std::vector<const TaskNode*> queue{&one.tree};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const TaskNode& node = *queue[i];
    Orders orders = orders_of(node, one.time_scale());
    orders.node = static_cast<std::int32_t>(i);
    orders.first_child = static_cast<std::int32_t>(queue.size());
    orders.child_count = static_cast<std::int32_t>(node.children.size());
    for (const TaskNode& child : node.children) queue.push_back(&child);
    all.push_back(orders);
  }
  if (const auto* model = std::get_if<ModelSupervisor>(&one.subject)) give_channels(*model, &all.front());
  if (const std::int32_t node = second_task_of(one); node >= 0) all.push_back(second_task_orders(node, one.time_scale()));
  for (Orders& each : all) {
    each.every_point = announces_every_point(one);
    each.keeps_signals = std::holds_alternative<Command>(one.subject);
  }
  return all;
}

}  // namespace forkproof::run
