#pragma once
#include <vector>

#include "harness/core/summary.h"

namespace forkproof::run {

/// Folds the results of many runs of `repro` (the shards of one plan, or of several, in any number of copies) into one.
/// A pure function of the *set* of runs: the order counts for nothing, and the same run twice counts once; what was
/// merged before stands for its parts. So merging is associative, commutative and idempotent.
///
/// A cell that several runs have run has all their runs. What no run has, and a cell that came out differently in
/// two runs of its shard, is a gap; and a gap makes the whole unknown. BadInput when one run is there in two versions.
RunSummary merged(const std::vector<RunSummary>& documents);

}  // namespace forkproof::run
