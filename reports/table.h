#pragma once
#include <ostream>

#include "reports/names.h"

namespace forkproof::reports {

/// Which promises broke where. One scenario whose backends fit side by side is a grid of profiles by backends. Anything
/// larger has one line a row, grouped by scenario, that tells what the row's backends have in common. In 80 columns.
void write_table(const RunSummary& summary, const Letters& letters, std::ostream& out);

/// What the letters of the table stand for: only those that are in it.
void write_legend(const RunSummary& summary, const Letters& letters, std::ostream& out);

}  // namespace forkproof::reports
