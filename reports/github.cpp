// Format `github`: workflow commands, which GitHub shows as annotations of the run. An error for each cell that is not
// as expected, a warning for each that could not be told, one line for all that were not run for the same reason, and a
// notice that counts. GitHub shows the first ten of a kind; all of them stand in the log.
#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/names.h"
#include "reports/report.h"
#include "reports/story.h"

namespace forkproof::reports {
namespace {

/// As actions/toolkit escapes a command's data; of a property (a title) also what separates properties.
std::string escaped(std::string_view text, bool is_property) {
  std::string all;
  for (const char each : printable(text)) {
    if (each == '%') all += "%25";
    else if (each == '\n') all += "%0A";
    else if (is_property && each == ':') all += "%3A";
    else if (is_property && each == ',') all += "%2C";
    else all += each;
  }
  return all;
}

void write_command(const char* command, std::string_view title, std::string_view message, std::ostream& out) {
  out << fmt::format("::{} title={}::{}\n", command, escaped(title, true), escaped(message, false));
}

std::string count(const RunSummary& summary) {
  return fmt::format("{} in {}{} ({} arena)", counted_outcomes(summary), text(summary.wall),
                     summary.interrupted ? ", interrupted" : "", summary.arena);
}

}  // namespace

void report_github(const RunSummary& summary, std::ostream& out) {
  for (const CellSummary& cell : summary.cells) {
    const bool failed = cell.outcome == CellOutcome::not_as_expected;
    if (cell.runs == 0 || (!failed && cell.outcome != CellOutcome::unknown)) continue;
    const std::string message = fmt::format("{}\nSee it again: {}", differences_in_short(cell, summary),
                                            reproducing_line(cell, summary));
    write_command(failed ? "error" : "warning", cell_name(cell), message, out);
  }
  for (const auto& [reason, count] : reasons_not_run(summary)) {
    const bool skipped = reason.starts_with(name(CellOutcome::skipped));
    write_command(skipped ? "notice" : "warning", "not run", counted(count, "cell ", "cells ") + reason, out);
  }
  for (const std::string& gap : summary.gaps) write_command("warning", "could not tell", gap, out);
  write_command("notice", "forkproof", count(summary), out);
}

}  // namespace forkproof::reports
