#pragma once
#include <span>
#include <string_view>

#include "harness/core/summary.h"

namespace forkproof::reports {

/// One row of reports.def.
struct ReportRow {
  std::string_view key;
  std::string_view about;
  Report write;
};
std::span<const ReportRow> reports();
const ReportRow* find_report(std::string_view key);

}  // namespace forkproof::reports
