#pragma once
#include <vector>

#include "harness/core/case.h"
#include "harness/core/sync_point.h"

namespace forkproof::run {

/// The case's tree as the orders of its nodes, by node number: 0 is the root, and the children of one node follow
/// each other (breadth first). Durations are scaled.
std::vector<Orders> tree_orders(const Case& one);

}  // namespace forkproof::run
