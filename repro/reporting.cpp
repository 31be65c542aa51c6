#include "repro/reporting.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "repro/values.h"

namespace forkproof {
namespace {

const reports::ReportRow& report_named(const std::string& option, const std::string& format) {
  if (const auto* row = reports::find_report(format)) return *row;
  std::vector<std::string> known;
  for (const auto& row : reports::reports()) known.emplace_back(row.key);
  throw BadInput(fmt::format("{} {}: unknown format; one of: {}", option, format, fmt::join(known, ", ")));
}

std::string formats() {
  std::string names;
  for (const auto& row : reports::reports()) names += (names.empty() ? "" : ", ") + std::string(row.key);
  return names;
}

}  // namespace

void describe(CLI::App& app, Reporting& reporting) {
  app.add_option("--format", reporting.format, formats() + " (text)")
      ->type_name("F")->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--output", reporting.output, "a file instead of standard output")->type_name("FILE")->check(not_empty());
  app.add_option("--also", reporting.also, "a second report of the same runs")->type_name("F=FILE")->expected(1)->take_all()->allow_extra_args(false);
}

Documents::Documents(const Reporting& reporting) {
  documents_.push_back({&report_named("--format", reporting.format), nullptr});
  for (const std::string& each : reporting.also) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals + 1 == each.size()) throw BadInput("--also " + each + ": wants FORMAT=FILE");
    documents_.push_back({&report_named("--also", each.substr(0, equals)), nullptr});
  }
  documents_.front().output = std::make_unique<Output>(reporting.output);
  for (std::size_t i = 0; i < reporting.also.size(); ++i) {
    const std::string& each = reporting.also[i];
    documents_[i + 1].output = std::make_unique<Output>(each.substr(each.find('=') + 1), "--also");
  }
}

void Documents::write(const RunSummary& summary) const {
  for (const Document& each : documents_) {
    std::ostringstream text;
    each.report->write(summary, text);
    each.output->write(text.str());
  }
}

int exit_status_of(const RunSummary& summary) {
  const CellOutcome worst = worst_outcome(summary);
  if (worst == CellOutcome::not_as_expected) return not_as_expected;
  if (worst == CellOutcome::unknown || summary.interrupted || !summary.gaps.empty()) return could_not_tell;
  // Where every cell was skipped nothing was asked, and a job that names what is not installed would be green for ever.
  const bool any_ran = std::any_of(summary.cells.begin(), summary.cells.end(), [](const CellSummary& cell) { return cell.runs > 0; });
  return any_ran ? as_expected : could_not_tell;
}

}  // namespace forkproof
