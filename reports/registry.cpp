#include "reports/report.h"

namespace forkproof::reports {

#define FORKPROOF_REPORT(name, key, about) void report_##name(const RunSummary& summary, std::ostream& out);
#include "reports/reports.def"
#undef FORKPROOF_REPORT

std::span<const ReportRow> reports() {
  static constexpr ReportRow rows[] = {
#define FORKPROOF_REPORT(name, key, about) {key, about, report_##name},
#include "reports/reports.def"
#undef FORKPROOF_REPORT
  };
  return rows;
}

const ReportRow* find_report(std::string_view key) {
  for (const ReportRow& row : reports()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace forkproof::reports
