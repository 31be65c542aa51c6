#pragma once
#include <string>

#include "reports/names.h"

namespace forkproof::reports {

/// In what a cell differs from what was expected of it: its note, what should have broken, each promise that came out
/// otherwise. Indented by four, in 80 columns; ends with a newline.
std::string differences(const CellSummary& cell, const RunSummary& summary);

/// The same in one line: "no-orphans broken in 3 of 10: helper (pid 4) lives on ...".
std::string differences_in_short(const CellSummary& cell, const RunSummary& summary);

/// "1,200 of 1,204 cells as expected, 3 not-as-expected, 1 unknown".
std::string counted_outcomes(const RunSummary& summary);

/// Why cells were not run ("skipped: built without gobjc"), and how many for that reason.
std::map<std::string, std::size_t> reasons_not_run(const RunSummary& summary);

/// One run of a cell: the process tree before and after, the timeline, each broken promise. The cell must have an
/// exhibit. In 80 columns; ends with a newline.
std::string story(const CellSummary& cell, const RunSummary& summary, const Letters& letters);

/// The profiles that hold every promise in this cell's scenario and variant, under every backend.
std::vector<std::string> subjects_that_hold(const CellSummary& cell, const RunSummary& summary);

}  // namespace forkproof::reports
