#pragma once
#include <rapidcheck.h>

#include "harness/core/case.h"

namespace forkproof::fuzz {

/// Trees of 1 to 12 processes with every behaviour that a node can have. Small ones are common.
rc::Gen<TaskNode> trees();
/// The behaviour of one process, without children.
rc::Gen<TaskNode> nodes(bool root);

/// Whether it comes to an end that nobody asks for.
bool ends_by_itself(const TaskNode& node);

}  // namespace forkproof::fuzz
