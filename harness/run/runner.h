#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/arena/tier.h"
#include "harness/core/summary.h"
#include "harness/run/plan.h"

namespace forkproof::run {

/// How the cells are run.
struct RunOptions {
  std::uint64_t runs = 1;  ///< of each cell
  unsigned jobs = 1;       ///< arenas open at the same time
  std::string observe = "auto";  ///< how a command's processes are seen: a way of ways.def, "auto" or "none"
  std::string keep;        ///< where histories are kept; empty: nowhere in any file system
  /// Whether a run that is as expected may be a cell's exhibit: its history stays in memory until the report is written.
  bool exhibit_what_is_expected = true;
};

/// Where a run stands, for whoever shows it.
struct Progress {
  std::uint64_t done = 0, total = 0;
  std::uint64_t not_as_expected = 0;
  const Cell* cell = nullptr;  ///< that of the run that ended last
};

/// Runs every cell in arenas of its own and judges each run as it ends. Active: blocks until all are done, or SIGINT,
/// SIGTERM or SIGHUP ends them; then the summary says that it was interrupted and holds what was found so far.
/// BadInput when `keep` cannot be opened, HarnessFailure when it cannot be written.
RunSummary run_all(const std::vector<Cell>& cells, const RunOptions& options, const arena::Provision& provision,
                   const std::function<void(const Progress&)>& show);

/// Descriptors that the warden of the largest of these cells needs.
std::uint64_t descriptors_needed(const std::vector<Cell>& cells);

}  // namespace forkproof::run
