#pragma once
#include <string>

#include "harness/core/history.h"

namespace forkproof::reports {

/// The process tree with arena pids, as it stood when teardown was asked for and as it stood at the end, side by
/// side. Ends with a newline.
std::string before_and_after(const History& history);

}  // namespace forkproof::reports
