#include "harness/core/summary.h"

#include <algorithm>

namespace forkproof {

std::string_view name(CellOutcome outcome) {
  switch (outcome) {
    case CellOutcome::as_expected: return "as-expected";
    case CellOutcome::skipped: return "skipped";
    case CellOutcome::unknown: return "unknown";
    case CellOutcome::not_as_expected: return "not-as-expected";
  }
  return "unknown";
}

CellOutcome worst_outcome(const RunSummary& summary) {
  CellOutcome worst = CellOutcome::as_expected;
  for (const CellSummary& cell : summary.cells) worst = std::max(worst, cell.outcome);
  return worst;
}

}  // namespace forkproof
