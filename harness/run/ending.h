#pragma once
#include "harness/core/history.h"
#include "harness/core/summary.h"

namespace forkproof::run {

/// What a history says of the end of its run. Zombies, and who has its death pending, are not left.
Ending ending_of(const History& history);

}  // namespace forkproof::run
