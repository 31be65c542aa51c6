#include "reports/report.h"
namespace forkproof::reports {
void text(const RunSummary& summary, std::ostream& out) {
  for (const CellSummary& cell : summary.cells) {
    out << cell.one.profile_name() << " " << cell.one.backend_name() << " " << name(cell.outcome) << " runs " << cell.runs << " unexpected " << cell.unexpected_runs << "\n";
    for (auto& [n, t] : cell.oracles) out << "    " << n << ": " << name(t.worst.outcome) << " " << t.worst.because << " [" << t.broken_runs << "]\n";
  }
}
}
