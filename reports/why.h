#pragma once
#include <string>

#include "harness/core/history.h"

namespace forkproof::reports {

/// Why those were still there whom a history explains: a supervisor that was late, and whoever was left. Indented by two,
/// in 80 columns; empty when nothing was explained.
std::string why_still_there(const History& history);

}  // namespace forkproof::reports
