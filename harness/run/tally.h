#pragma once
#include <map>
#include <string>

#include "harness/core/summary.h"

namespace forkproof::run {

/// How one run came out against what was expected of it. A break that was expected and did not come is as wrong as
/// one that was not expected; what cannot be told is unknown, never green.
CellOutcome compare(const std::map<std::string, Verdict>& verdicts, const std::set<std::string>& expected);

/// Adds one judged run to its cell.
void tally(CellSummary& cell, std::uint64_t run, History history, std::map<std::string, Verdict> verdicts);

}  // namespace forkproof::run
