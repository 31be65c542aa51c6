#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "harness/run/plan.h"

namespace forkproof::run {

/// Knobs (knobs.def) and the values that are wanted of each.
using KnobFilter = std::map<std::string, std::vector<std::string>>;

/// "capture=pipe,pty" added to a filter. BadInput with the nearest name for a knob or value that does not exist.
void add_knob(const std::string& written, KnobFilter* filter);
/// Whether a cell's subject has one of the wanted values of each knob. A command has none.
bool has_knobs(const Cell& cell, const KnobFilter& filter);

/// One job of a CI matrix: what its machine runs is `repro matrix` with these filters. Together the jobs run every cell
/// once.
struct Job {
  std::string name;                    ///< "bare fork, stdout pipe pty, 1/2"
  std::vector<std::string> scenarios;  ///< as the command line names them
  std::vector<std::string> backends;
  std::vector<std::string> captures;   ///< what the task's stdout is: the values of knob `capture`; empty: any
  std::size_t shard = 1, shards = 1;   ///< of the cells that pass the filters
  std::size_t cells = 0;
};

/// A job's setup takes minutes, a cell tens of milliseconds: so jobs are as few as the axes allow. The axes are those by
/// which hazards divide: whether the child is a bare fork or a fresh image, and, as in tractor's CI, what its stdout is.
/// Captures with few cells share a job; many cells are cut into shards.
std::vector<Job> jobs_for(const std::vector<Cell>& cells);

inline constexpr std::size_t few_cells = 100;     ///< not worth a job of their own
inline constexpr std::size_t most_cells = 1'000;  ///< of one job: about a minute

}  // namespace forkproof::run
