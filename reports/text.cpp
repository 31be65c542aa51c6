// Format `text`, for people, in 80 columns and without colour:
//   1. the question, and in what world it was asked;
//   2. a table of profiles by backends: which promises broke;
//   3. the cells that did not come out as expected, with what differs;
//   4. the story of the first broken cell: trees, timeline, each broken promise, who holds, how to see it again.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include <fmt/format.h>

#include "reports/cast.h"
#include "reports/layout.h"
#include "reports/process_tree.h"
#include "reports/report.h"
#include "reports/timeline.h"

namespace forkproof::reports {
namespace {

using Letters = std::map<std::string, char>;

/// A letter for each promise: the first of its words that is free ("no-orphans" O, "state-reported" R).
Letters letters_for(const std::vector<std::string>& oracles) {
  Letters letters;
  std::set<char> taken;
  for (const std::string& oracle : oracles) {
    std::string candidates;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      const bool starts_word = i == 0 || oracle[i - 1] == '-';
      if (starts_word && oracle.compare(i, 3, "no-") != 0) candidates += oracle[i];
    }
    candidates += oracle;
    for (const char each : candidates) {
      const char letter = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
      if (letter == '-' || !taken.insert(letter).second) continue;
      letters[oracle] = letter;
      break;
    }
  }
  return letters;
}

std::string subject_name(const CellSummary& cell) {
  const auto* command = std::get_if<Command>(&cell.one.subject);
  return command ? fmt::format("{}", fmt::join(command->argv, " ")) : cell.one.profile_name();
}

/// A row of the table: the profile, or, where the file has variants, the variant and then the profile.
std::string row_name(const CellSummary& cell) {
  const std::size_t slash = cell.one.scenario.find('/');
  if (slash == std::string::npos) return subject_name(cell);
  return cell.one.scenario.substr(slash + 1) + " " + subject_name(cell);
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

void write_head(const RunSummary& summary, std::ostream& out) {
  const Case& one = summary.cells.front().one;
  out << wrapped(one.scenario.substr(0, one.scenario.find('/')) + ": ", one.question, 2);
  out << fmt::format("  {} arena{}, {} x {}, {}\n", summary.arena, summary.cgroup ? " with a cgroup" : "",
                     counted(summary.cells.size(), "cell", "cells"), counted(summary.runs_per_cell, "run", "runs"),
                     text(summary.wall));
  if (!summary.arena_cost.empty()) out << wrapped("  weaker arena: ", summary.arena_cost, 4);
  out << "\n";
}

/// "O S R", with the number of runs where it was not all of them; "holds"; "?" for what cannot be told; "!" marks a
/// cell that is not as expected.
std::string cell_text(const CellSummary& cell, const RunSummary& summary, const Letters& letters) {
  if (cell.runs == 0) return cell.outcome == CellOutcome::skipped ? "skipped" : "not run";
  std::string text;
  bool any_unknown = false;
  for (const std::string& oracle : summary.oracles) {
    const auto found = cell.oracles.find(oracle);
    if (found == cell.oracles.end()) continue;
    any_unknown |= found->second.unknown_runs > 0;
    if (found->second.broken_runs == 0) continue;
    text += (text.empty() ? "" : " ") + std::string(1, letters.at(oracle));
    if (found->second.broken_runs != cell.runs) text += fmt::format(":{}", found->second.broken_runs);
  }
  if (any_unknown) text += text.empty() ? "?" : " ?";
  if (text.empty()) text = "holds";
  return text + (cell.outcome == CellOutcome::not_as_expected ? " !" : "");
}

std::vector<std::string> distinct(const RunSummary& summary, std::string (*name)(const CellSummary&)) {
  std::vector<std::string> names;
  for (const CellSummary& cell : summary.cells) {
    const std::string each = name(cell);
    if (std::find(names.begin(), names.end(), each) == names.end()) names.push_back(each);
  }
  return names;
}

std::string backend_name(const CellSummary& cell) { return cell.one.backend_name(); }

/// One block of the table: these backends, as many as fit.
void write_block(const RunSummary& summary, const Letters& letters, const std::vector<std::string>& subjects,
                 std::span<const std::string> backends, std::size_t first_width, std::ostream& out) {
  std::map<std::pair<std::string, std::string>, std::string> texts;
  for (const CellSummary& cell : summary.cells) {
    texts[{row_name(cell), backend_name(cell)}] = cell_text(cell, summary, letters);
  }
  std::vector<std::size_t> widths;
  for (const std::string& backend : backends) {
    std::size_t width = backend.size();
    for (const std::string& subject : subjects) width = std::max(width, texts[{subject, backend}].size());
    widths.push_back(width + 2);
  }
  const auto write_line = [&](const std::string& first, auto&& cell_at) {
    std::string line = fmt::format("  {:<{}}", first, first_width);
    for (std::size_t i = 0; i < backends.size(); ++i) line += fmt::format("{:<{}}", cell_at(i), widths[i]);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out << line << "\n";
  };
  write_line("", [&](std::size_t i) { return backends[i]; });
  for (const std::string& subject : subjects) {
    write_line(subject, [&](std::size_t i) { return texts[{subject, backends[i]}]; });
  }
}

void write_table(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  const std::vector<std::string> subjects = distinct(summary, row_name);
  const std::vector<std::string> backends = distinct(summary, backend_name);
  std::size_t first_width = 0;
  for (const std::string& subject : subjects) first_width = std::max(first_width, subject.size() + 2);
  for (std::size_t from = 0; from < backends.size();) {
    std::size_t width = first_width + 2, count = 0;
    while (from + count < backends.size() &&
           (count == 0 || width + std::max<std::size_t>(backends[from + count].size(), 9) + 2 <= columns)) {
      width += std::max<std::size_t>(backends[from + count].size(), 9) + 2;
      ++count;
    }
    write_block(summary, letters, subjects, std::span(backends).subspan(from, count), first_width, out);
    out << "\n";
    from += count;
  }
}

/// What the letters of the table stand for: only those that are in it.
void write_legend(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  std::string legend;
  bool any_unknown = false, any_partial = false;
  for (const std::string& oracle : summary.oracles) {
    bool used = false;
    for (const CellSummary& cell : summary.cells) {
      const auto found = cell.oracles.find(oracle);
      if (found == cell.oracles.end()) continue;
      used |= found->second.broken_runs > 0;
      any_partial |= found->second.broken_runs > 0 && found->second.broken_runs < cell.runs;
      any_unknown |= found->second.unknown_runs > 0;
    }
    if (used) legend += fmt::format("{}{} {}", legend.empty() ? "" : ", ", letters.at(oracle), oracle);
  }
  if (!legend.empty()) out << wrapped("  broken: ", legend, 10);
  if (any_partial) out << "  O:3 = broken in 3 of the runs\n";
  if (any_unknown) out << "  ? = could not be told\n";
}

std::string joined(const std::set<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

void write_differences(const RunSummary& summary, std::ostream& out) {
  std::map<CellOutcome, std::size_t> counts;
  for (const CellSummary& cell : summary.cells) ++counts[cell.outcome];
  const std::size_t good = counts[CellOutcome::as_expected];
  if (good == summary.cells.size()) {
    out << fmt::format("  all {} as expected\n", counted(good, "cell came out", "cells came out"));
  } else {
    out << fmt::format("  {} of {} cells as expected\n", good, summary.cells.size());
  }
  if (summary.interrupted) out << "  interrupted: this is what was found so far\n";
  for (const CellSummary& cell : summary.cells) {
    if (cell.outcome == CellOutcome::as_expected) continue;
    out << fmt::format("\n  {} / {}: {}", row_name(cell), backend_name(cell), name(cell.outcome));
    if (cell.runs > 0) out << fmt::format(" in {} of {}", cell.unexpected_runs, counted(cell.runs, "run", "runs"));
    out << "\n";
    if (!cell.note.empty()) out << wrapped("    ", cell.note);
    if (cell.runs > 0) out << wrapped("    expected to break: ", joined(cell.expected), 6);
    for (const std::string& oracle : summary.oracles) {
      const auto found = cell.oracles.find(oracle);
      if (found == cell.oracles.end()) continue;
      const OracleTally& tally = found->second;
      const bool differs = tally.unknown_runs > 0 || (cell.expected.contains(oracle) ? tally.broken_runs != cell.runs
                                                                                   : tally.broken_runs != 0);
      if (!differs) continue;
      out << wrapped(fmt::format("    {} {} of {}: ", oracle,
                                 tally.broken_runs > 0 ? fmt::format("broken in {}", tally.broken_runs)
                                 : tally.unknown_runs > 0 ? fmt::format("unknown in {}", tally.unknown_runs)
                                                          : "broken in 0",
                                 cell.runs),
                     tally.worst.because, 6);
    }
  }
}

/// The cell whose story is told: the worst that differs, else the first with a break.
const CellSummary* cell_to_tell(const RunSummary& summary) {
  const CellSummary* best = nullptr;
  for (const CellSummary& cell : summary.cells) {
    if (!cell.exhibit) continue;
    const bool has_break = std::any_of(cell.exhibit->verdicts.begin(), cell.exhibit->verdicts.end(), [](const auto& each) {
      return each.second.outcome == Outcome::broken;
    });
    if (cell.outcome == CellOutcome::as_expected && !has_break) continue;
    if (best == nullptr || cell.outcome > best->outcome) best = &cell;
  }
  return best;
}

std::string time_column(Nanos since, double scale) {
  const std::string sign = since < Nanos{} ? "-" : "+";
  const Nanos size = since < Nanos{} ? -since : since;
  std::string column = fmt::format("{:>10}", sign + text(size));
  if (scale != 1.0) column += fmt::format("{:>12}", fmt::format("{}{:.1f} s", sign, in_seconds(size) / scale));
  return column;
}

void write_timeline(const Exhibit& exhibit, double scale, const Letters& letters, std::ostream& out) {
  const History& history = exhibit.history;
  const Cast cast(history);
  std::map<std::size_t, std::string> marks;
  for (const auto& [oracle, verdict] : exhibit.verdicts) {
    if (verdict.outcome != Outcome::broken) continue;
    for (const std::size_t index : verdict.evidence) marks[index] += letters.at(oracle);
  }
  Nanos zero{};
  for (const Event& event : history.events()) {
    if (event.as<TeardownAsked>() != nullptr && zero == Nanos{}) zero = event.at;
  }
  out << fmt::format("  {:<4}{:>10}{}  {:<16}{}\n", "", "time", scale != 1.0 ? fmt::format("{:>12}", "at scale 1") : "",
                     "who", "what");
  Nanos late{};
  for (std::size_t i = 0; i < history.size(); ++i) {
    // Many small delays of the machine say no more than their sum.
    if (const auto* machine = history[i].as<MachineLate>()) {
      late += machine->by;
      continue;
    }
    const auto line = told(history[i].what, cast);
    if (!line) continue;
    const std::string head = fmt::format("  {:<4}{}  {:<16}", marks[i], time_column(history[i].at - zero, scale), line->who);
    out << wrapped(head, line->what);
  }
  if (late > Nanos{}) out << fmt::format("  the machine was late by {} in all, which is not counted\n", text(late));
}

/// Profiles that hold in this scenario (and variant) under every backend.
std::vector<std::string> subjects_that_hold(const RunSummary& summary, const std::string& scenario) {
  std::vector<std::string> good;
  for (const std::string& subject : distinct(summary, subject_name)) {
    bool holds = true, there = false;
    for (const CellSummary& cell : summary.cells) {
      if (subject_name(cell) != subject || cell.one.scenario != scenario) continue;
      there = true;
      holds &= cell.runs > 0;
      for (const auto& [oracle, tally] : cell.oracles) holds &= tally.broken_runs == 0 && tally.unknown_runs == 0;
    }
    if (holds && there) good.push_back(subject);
  }
  return good;
}

std::string reproducing_line(const CellSummary& cell, const RunSummary& summary) {
  const std::size_t slash = cell.one.scenario.find('/');
  const bool needs_variant = slash != std::string::npos && !summary.asked.ends_with(cell.one.scenario.substr(slash));
  std::string line = "repro " + (summary.asked.empty() ? cell.one.scenario
                                 : needs_variant       ? summary.asked + cell.one.scenario.substr(slash)
                                                       : summary.asked);
  if (!cell.one.profile_name().empty()) line += " --profile " + cell.one.profile_name();
  if (!cell.one.backend_name().empty()) line += " --backend " + cell.one.backend_name();
  if (summary.time_scale) line += fmt::format(" --time-scale {}", *summary.time_scale);
  if (cell.one.seed != 1) line += fmt::format(" --seed {}", cell.one.seed);
  return line;
}

void write_story(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  const CellSummary* cell = cell_to_tell(summary);
  if (cell == nullptr) return;
  const Exhibit& exhibit = *cell->exhibit;
  out << fmt::format("\n{} / {}, run {}: what happened\n\n", row_name(*cell), backend_name(*cell), exhibit.run + 1);
  out << before_and_after(exhibit.history) << "\n";
  write_timeline(exhibit, cell->one.time_scale(), letters, out);
  out << "\n";
  for (const std::string& oracle : summary.oracles) {
    const Verdict& verdict = exhibit.verdicts.at(oracle);
    if (verdict.outcome == Outcome::held || verdict.outcome == Outcome::skipped) continue;
    out << wrapped(fmt::format("  {} {}, {}: ", letters.at(oracle), oracle, name(verdict.outcome)), verdict.because, 4);
  }
  const std::vector<std::string> good = subjects_that_hold(summary, cell->one.scenario);
  if (!good.empty()) out << wrapped("\n  Under the same fault these hold every promise: ", fmt::format("{}", fmt::join(good, ", ")), 4);
  out << "\n  See it again:\n    " << reproducing_line(*cell, summary) << "\n";
}

}  // namespace

void text(const RunSummary& summary, std::ostream& out) {
  if (summary.cells.empty()) {
    out << "nothing was run\n";
    return;
  }
  const Letters letters = letters_for(summary.oracles);
  write_head(summary, out);
  write_table(summary, letters, out);
  write_legend(summary, letters, out);
  write_differences(summary, out);
  write_story(summary, letters, out);
}

}  // namespace forkproof::reports
