// Format `junit`: the XML that CI systems read. One testsuite a scenario (and variant), one testcase a cell. Not as
// expected is a failure, unknown an error (never a pass), skipped is skipped; each says why, and a failure tells its
// whole story.
#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/names.h"
#include "reports/report.h"
#include "reports/story.h"

namespace forkproof::reports {
namespace {

/// Between tags and in attributes alike; an attribute's line breaks would else become spaces.
std::string escaped(std::string_view text) {
  std::string all;
  for (const char each : printable(text)) {
    switch (each) {
      case '&': all += "&amp;"; break;
      case '<': all += "&lt;"; break;
      case '>': all += "&gt;"; break;
      case '"': all += "&quot;"; break;
      case '\n': all += "&#10;"; break;
      default: all += each;
    }
  }
  return all;
}

/// Text between tags keeps its line breaks, for people who open the file.
std::string escaped_lines(std::string_view text) {
  std::string all = escaped(text);
  for (std::size_t at = 0; (at = all.find("&#10;", at)) != std::string::npos; ++at) all.replace(at, 5, "\n");
  return all;
}

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  Nanos wall{};

  void add(const CellSummary& cell) {
    ++tests, wall += cell.wall;
    failures += cell.outcome == CellOutcome::not_as_expected;
    errors += cell.outcome == CellOutcome::unknown;
    skipped += cell.outcome == CellOutcome::skipped;
  }
  [[nodiscard]] std::string attributes() const {
    return fmt::format(R"(tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}")", tests, failures, errors,
                       skipped, in_seconds(wall));
  }
};

Counts counts_of(const Cells& cells) {
  Counts counts;
  for (const CellSummary* cell : cells) counts.add(*cell);
  return counts;
}

std::string why(const CellSummary& cell, const RunSummary& summary, const Letters& letters) {
  std::string all = "\n" + differences(cell, summary) + "\nSee it again: " + reproducing_line(cell, summary) + "\n";
  if (cell.exhibit) all += fmt::format("\nRun {}:\n\n", cell.exhibit->run + 1) + story(cell, summary, letters);
  return escaped_lines(all);
}

void write_case(const CellSummary& cell, const RunSummary& summary, const Letters& letters, std::ostream& out) {
  const std::string backend = cell.one.backend_name();
  out << fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.3f}")", escaped(cell.one.scenario),
                     escaped(subject_name(cell) + (backend.empty() ? "" : "/" + backend)), in_seconds(cell.wall));
  const std::string message = escaped(differences_in_short(cell, summary));
  switch (cell.outcome) {
    case CellOutcome::as_expected: out << "/>\n"; return;
    case CellOutcome::skipped: out << fmt::format(">\n      <skipped message=\"{}\"/>\n", message); break;
    case CellOutcome::not_as_expected:
    case CellOutcome::unknown: {
      const char* tag = cell.outcome == CellOutcome::unknown ? "error" : "failure";
      out << fmt::format(">\n      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", tag, name(cell.outcome), message,
                         why(cell, summary, letters));
      break;
    }
  }
  out << "    </testcase>\n";
}

/// What is missing of the whole, or contradicts itself: an error each, in a suite of their own.
void write_gaps(const std::vector<std::string>& gaps, std::ostream& out) {
  if (gaps.empty()) return;
  out << fmt::format("  <testsuite name=\"merge\" tests=\"{0}\" failures=\"0\" errors=\"{0}\" skipped=\"0\" time=\"0.000\">\n",
                     gaps.size());
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    out << fmt::format("    <testcase classname=\"merge\" name=\"gap {}\" time=\"0.000\">\n", i + 1);
    out << fmt::format("      <error type=\"unknown\" message=\"{}\"/>\n    </testcase>\n", escaped(gaps[i]));
  }
  out << "  </testsuite>\n";
}

}  // namespace

void report_junit(const RunSummary& summary, std::ostream& out) {
  const Letters letters = letters_for(summary.oracles);
  const auto cells = pointers_to(summary.cells);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  Counts counts = counts_of(cells);
  counts.tests += summary.gaps.size(), counts.errors += summary.gaps.size();
  out << fmt::format("<testsuites name=\"forkproof\" {}>\n", counts.attributes());
  for (const auto& [scenario, suite] : grouped_by(cells, full_scenario_name)) {
    out << fmt::format("  <testsuite name=\"{}\" {}>\n", escaped(scenario), counts_of(suite).attributes());
    out << fmt::format("    <properties>\n      <property name=\"arena\" value=\"{}\"/>\n    </properties>\n",
                       escaped(summary.arena));
    for (const CellSummary* cell : suite) write_case(*cell, summary, letters, out);
    out << "  </testsuite>\n";
  }
  write_gaps(summary.gaps, out);
  out << "</testsuites>\n";
}

}  // namespace forkproof::reports
