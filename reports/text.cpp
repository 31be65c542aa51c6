// Format `text`, for people, in 80 columns and without colour:
//   1. the question (of a matrix: how many), and in what world it was asked;
//   2. a table: which promises broke;
//   3. the cells that did not come out as expected, with what differs;
//   4. the story of one cell: the worst that differs, or, where one question was asked, the first that broke: trees,
//      timeline, each broken promise, who holds, how to see it again.
#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/names.h"
#include "reports/report.h"
#include "reports/story.h"
#include "reports/table.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t most_differences_told = 40;  // differences: the rest is counted
constexpr std::size_t most_reasons = 20;  // likewise

std::string size_and_world(const RunSummary& summary) {
  const std::string shard = summary.shard.count == 1 ? "" : fmt::format(" (shard {} of {})", summary.shard.index, summary.shard.count);
  return fmt::format("{} arena{}, {}{} x {}, {}", summary.arena, summary.cgroup ? " with a cgroup" : "",
                     counted(summary.cells.size(), "cell", "cells"), shard, counted(summary.runs_per_cell, "run", "runs"),
                     text(summary.wall)) +
         (summary.parts.empty() ? "" : fmt::format(" in {}", counted(summary.parts.size(), "part", "parts")));
}

void write_head(const RunSummary& summary, std::ostream& out) {
  if (summary.matrix) {
    const std::size_t questions = distinct(pointers_to(summary.cells), scenario_name).size();
    out << wrapped("matrix: ", counted(questions, "scenario", "scenarios") + ", " + size_and_world(summary), 2);
  } else {
    const CellSummary& first = summary.cells.front();
    out << wrapped(scenario_name(first) + ": ", first.one.question, 2);
    out << wrapped("  ", size_and_world(summary), 4);
  }
  if (!summary.arena_cost.empty()) out << wrapped("  weaker arena: ", summary.arena_cost, 4);
  out << "\n";
}

/// Promises that were not judged, in one line a reason. Of a matrix there are too many cells for it.
void write_skipped(const RunSummary& summary, std::ostream& out) {
  if (summary.matrix) return;
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const CellSummary& cell : summary.cells) {
    for (const std::string& oracle : summary.oracles) {
      const auto found = cell.oracles.find(oracle);
      if (found == cell.oracles.end() || found->second.worst.outcome != Outcome::skipped) continue;
      const std::string& because = found->second.worst.because;
      auto reason = std::find_if(reasons.begin(), reasons.end(), [&](const auto& each) { return each.first == because; });
      if (reason == reasons.end()) reason = reasons.insert(reasons.end(), {because, {}});
      auto& names = reason->second;
      if (std::find(names.begin(), names.end(), oracle) == names.end()) names.push_back(oracle);
    }
  }
  if (!reasons.empty()) out << "  not judged:\n";
  for (std::size_t i = 0; i < std::min(reasons.size(), most_reasons); ++i) {
    out << wrapped("    ", fmt::format("{}: {}", fmt::join(reasons[i].second, ", "), reasons[i].first), 6);
  }
  if (reasons.size() > most_reasons) out << fmt::format("    ... and {} reasons more; --format json has them all\n", reasons.size() - most_reasons);
}

/// "all 28 cells came out as expected", or what came out how.
void write_count(const RunSummary& summary, std::ostream& out) {
  const bool all_good = std::all_of(summary.cells.begin(), summary.cells.end(),
                                    [](const CellSummary& cell) { return cell.outcome == CellOutcome::as_expected; });
  if (all_good) {
    if (summary.cells.size() == 1) out << "  the one cell came out as expected\n";
    else out << fmt::format("  all {} cells came out as expected\n", grouped(summary.cells.size()));
  } else {
    out << wrapped("  ", counted_outcomes(summary), 4);
  }
  const bool any_judged = std::any_of(summary.cells.begin(), summary.cells.end(), [](const CellSummary& cell) {
    return std::any_of(cell.oracles.begin(), cell.oracles.end(), [](const auto& each) { return each.second.worst.outcome != Outcome::skipped; });
  });
  const bool any_ran = std::any_of(summary.cells.begin(), summary.cells.end(), [](const CellSummary& cell) { return cell.runs > 0; });
  if (!any_ran) out << "  could not tell: nothing was run\n";
  else if (!any_judged) out << "  could not tell: no promise could be judged\n";
  for (const std::string& gap : summary.gaps) out << wrapped("  could not tell: ", gap, 4);
  if (summary.interrupted) out << "  interrupted: this is what was found so far\n";
}

/// A cell as the report's other parts call it: of one question, its name need not be said again.
std::string told_name(const CellSummary& cell, const RunSummary& summary) {
  if (summary.matrix) return cell_name(cell);
  return cell.one.backend_name().empty() ? row_name(cell) : row_name(cell) + " / " + cell.one.backend_name();
}

/// One difference, and the cells of a row that share it.
struct Told {
  std::string name;  ///< of the first of them
  std::string backends_behind;
  std::string what;
};

/// Cells of a row that differ in the same words stand together; those that were not run are counted by their reason.
void write_differences(const RunSummary& summary, std::ostream& out) {
  std::vector<Told> all;
  std::map<std::string, std::size_t> places;
  for (const CellSummary& cell : summary.cells) {
    if (cell.outcome == CellOutcome::as_expected || cell.runs == 0) continue;
    const std::string what = fmt::format(": {} in {} of {}\n", name(cell.outcome), grouped(cell.unexpected_runs),
                                         counted(cell.runs, "run", "runs")) + differences(cell, summary);
    const auto [place, is_new] = places.try_emplace(cell.one.scenario + "\n" + subject_name(cell) + what, all.size());
    if (is_new) all.push_back({told_name(cell, summary), "", what});
    else all[place->second].backends_behind += ", " + cell.one.backend_name();
  }
  for (std::size_t i = 0; i < std::min(all.size(), most_differences_told); ++i) {
    const std::size_t line_end = all[i].what.find('\n');
    out << "\n" << wrapped("  ", all[i].name + all[i].backends_behind + all[i].what.substr(0, line_end), 4);
    out << all[i].what.substr(line_end + 1);
  }
  if (all.size() > most_differences_told) out << fmt::format("\n  ... and {} more; --format json has them all\n", all.size() - most_differences_told);
  const auto not_run = reasons_not_run(summary);
  if (!not_run.empty()) out << "\n";
  for (const auto& [reason, count] : not_run) out << wrapped("  ", counted(count, "cell ", "cells ") + reason, 4);
}

/// The cell whose story is told: the worst that differs, else, of one question, the first with a break.
const CellSummary* cell_to_tell(const RunSummary& summary) {
  const CellSummary* best = nullptr;
  for (const CellSummary& cell : summary.cells) {
    if (!cell.exhibit) continue;
    const bool has_break = std::any_of(cell.exhibit->verdicts.begin(), cell.exhibit->verdicts.end(), [](const auto& each) {
      return each.second.outcome == Outcome::broken;
    });
    if (cell.outcome == CellOutcome::as_expected && (summary.matrix || !has_break)) continue;
    if (best == nullptr || cell.outcome > best->outcome) best = &cell;
  }
  return best;
}

void write_story(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  const CellSummary* cell = cell_to_tell(summary);
  if (cell == nullptr) return;
  out << "\n" << wrapped("", fmt::format("{}, run {}: what happened", told_name(*cell, summary), cell->exhibit->run + 1), 2);
  out << "\n" << story(*cell, summary, letters);
  const std::vector<std::string> good = subjects_that_hold(*cell, summary);
  if (!good.empty()) {
    out << "\n" << wrapped("  Under the same fault these hold every promise: ", fmt::format("{}", fmt::join(good, ", ")), 4);
  }
  out << "\n  See it again:\n" << wrapped_command(4, reproducing_words(*cell, summary));
}

}  // namespace

void report_text(const RunSummary& summary, std::ostream& out) {
  if (summary.cells.empty()) {
    out << "nothing was run\n";
    return;
  }
  const Letters letters = letters_for(summary.oracles);
  std::ostringstream page;
  write_head(summary, page);
  write_table(summary, letters, page);
  write_legend(summary, letters, page);
  write_count(summary, page);
  write_skipped(summary, page);
  write_differences(summary, page);
  write_story(summary, letters, page);
  out << printable(page.str());
}

}  // namespace forkproof::reports
