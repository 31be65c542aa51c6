#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "reports/report.h"
#include "repro/common.h"

namespace forkproof {

/// The options of the verbs that end in reports, as they were written.
struct Reporting {
  std::string format = "text";
  std::string output;             ///< empty: standard output
  std::vector<std::string> also;  ///< FORMAT=FILE
};

/// Declares them.
void describe(CLI::App& app, Reporting& reporting);

/// The reports that were asked for, each with a place that was shown to be writable. Passive.
class Documents {
 public:
  /// BadInput for an unknown format, or a file that cannot be written. Files are only touched when all words are understood.
  explicit Documents(const Reporting& reporting);
  void write(const RunSummary& summary) const;

 private:
  struct Document {
    const reports::ReportRow* report;
    std::unique_ptr<Output> output;
  };
  std::vector<Document> documents_;
};

/// By the worst cell; what was cut off, has gaps, or had no run at all, cannot be told.
int exit_status_of(const RunSummary& summary);

}  // namespace forkproof
