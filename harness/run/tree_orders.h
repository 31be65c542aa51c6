#pragma once
#include <cstdint>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/sync_point.h"

namespace forkproof::run {

/// The case's tree as the orders of its nodes, by node number: 0 is the root, and the children of one node follow
/// each other (breadth first). Durations are scaled. The supervisor's second task, where its profile has one, comes last.
std::vector<Orders> tree_orders(const Case& one);

/// The number of that second task; -1 where there is none.
std::int32_t second_task_of(const Case& one);
inline constexpr char second_task_role[] = "second-task";

/// Whether the points that only matter under a schedule are announced: it has one, or holds somebody at such a point.
bool announces_every_point(const Case& one);

}  // namespace forkproof::run
