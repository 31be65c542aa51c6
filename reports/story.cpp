#include "reports/story.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "reports/cast.h"
#include "reports/layout.h"
#include "reports/process_tree.h"
#include "reports/timeline.h"
#include "reports/why.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t most_of_a_name = 40;    // a program may be called anything
constexpr std::size_t most_passers_by = 12;  // that are told of one by one

/// Promises that came out otherwise than expected, or could not be told: those of the same reason together.
struct Difference {
  std::string oracle;
  std::string how;  ///< "broken in 3 of 10"
  std::string because;
};

void add(Difference one, std::vector<Difference>* all) {
  const auto alike = std::find_if(all->begin(), all->end(), [&one](const Difference& each) {
    return each.how == one.how && each.because == one.because;
  });
  if (alike == all->end()) return all->push_back(std::move(one));
  alike->oracle += ", " + one.oracle;
}

/// A reason that all promises share, such as a question that could not be asked, is one of the run's.
void shorten(std::vector<Difference>* all, std::size_t promises) {
  if (promises < 2 || all->size() != 1) return;
  std::string& names = all->front().oracle;
  if (static_cast<std::size_t>(std::count(names.begin(), names.end(), ',')) + 1 == promises) names = "every promise";
}

std::vector<Difference> differences_of(const CellSummary& cell, const RunSummary& summary) {
  std::vector<Difference> found;
  for (const std::string& oracle : summary.oracles) {
    const auto entry = cell.oracles.find(oracle);
    if (entry == cell.oracles.end()) continue;
    const OracleTally& tally = entry->second;
    const std::uint64_t should_break = cell.expected.contains(oracle) ? cell.runs : 0;
    if (tally.unknown_runs == 0 && tally.broken_runs == should_break) continue;
    const bool told = tally.broken_runs > 0 || tally.unknown_runs == 0;
    add({oracle, fmt::format("{} in {} of {}", told ? "broken" : "unknown", told ? tally.broken_runs : tally.unknown_runs,
                             cell.runs),
         tally.worst.because},
        &found);
  }
  shorten(&found, summary.oracles.size());
  return found;
}

std::string time_column(Nanos since, double scale) {
  const std::string sign = since < Nanos{} ? "-" : "+";
  const Nanos size = since < Nanos{} ? -since : since;
  std::string column = fmt::format("{:>10}", sign + text(size));
  if (scale != 1.0) column += fmt::format("{:>12}", fmt::format("{}{:.1f} s", sign, in_seconds(size) / scale));
  return column;
}

/// Which promises an event helped to break.
std::map<std::size_t, std::string> marks_of(const Exhibit& exhibit, const Letters& letters) {
  std::map<std::size_t, std::string> marks;
  for (const auto& [oracle, verdict] : exhibit.verdicts) {
    if (verdict.outcome != Outcome::broken || !letters.contains(oracle)) continue;
    for (const std::size_t index : verdict.evidence) marks[index] += letters.at(oracle);
  }
  return marks;
}

/// Whose birth, exec or end this is; 0 for anything else.
Pid whose(const Happening& what) {
  if (const auto* spawned = std::get_if<Spawned>(&what)) return spawned->pid;
  if (const auto* execed = std::get_if<Execed>(&what)) return execed->pid;
  const auto* exited = std::get_if<Exited>(&what);
  return exited != nullptr ? exited->pid : 0;
}

/// Strangers who ended and were never orphans, where they are too many to be told of each.
std::set<Pid> passers_by_of(const History& history, const Cast& cast) {
  std::set<Pid> gone;
  for (const Event& event : history.events()) {
    const auto* exited = event.as<Exited>();
    if (exited != nullptr && cast.is_stranger(exited->pid)) gone.insert(exited->pid);
  }
  for (const Event& event : history.events()) {
    if (const auto* moved = event.as<Reparented>()) gone.erase(moved->pid);
  }
  return gone.size() > most_passers_by ? gone : std::set<Pid>{};
}

std::string timeline(const Exhibit& exhibit, double scale, const Letters& letters) {
  const History& history = exhibit.history;
  const Cast cast(history);
  auto marks = marks_of(exhibit, letters);
  Nanos zero{};
  for (const Event& event : history.events()) {
    if (event.as<TeardownAsked>() != nullptr && zero == Nanos{}) zero = event.at;
  }
  std::string all = fmt::format("  {:<4}{:>10}{}  {:<16}{}\n", "", "time",
                                scale != 1.0 ? fmt::format("{:>12}", "at scale 1") : "", "who", "what");
  const std::set<Pid> passers_by = passers_by_of(history, cast);
  std::set<Pid> born;
  Nanos late{};
  for (std::size_t i = 0; i < history.size(); ++i) {
    // Many small delays of the machine say no more than their sum.
    if (const auto* machine = history[i].as<MachineLate>()) {
      late += machine->by;
      continue;
    }
    if (marks[i].empty() && passers_by.contains(whose(history[i].what))) continue;
    // A stranger that turned out to be of the tree was told of when it was born.
    const auto* spawned = history[i].as<Spawned>();
    if (spawned != nullptr && !born.insert(spawned->pid).second && marks[i].empty()) continue;
    const auto line = told(history[i].what, cast);
    if (!line) continue;
    const std::string times = fmt::format("  {:<4}{}  ", marks[i], time_column(history[i].at - zero, scale));
    all += wrapped(times + fmt::format("{:<16}", clipped(line->who, most_of_a_name) + " "), line->what, times.size() + 16);
  }
  if (!passers_by.empty()) all += fmt::format("  {} strangers came and went, which is not shown\n", grouped(passers_by.size()));
  if (late > Nanos{}) all += fmt::format("  the machine was late by {} in all, which is not counted\n", text(late));
  return all;
}

/// The last lines that a command has printed.
std::string output_of(const History& history) {
  constexpr std::size_t most_lines = 10;
  for (const Event& event : history.events()) {
    const auto* output = event.as<CommandOutput>();
    if (output == nullptr || output->tail.empty()) continue;
    std::vector<std::string> lines;
    std::istringstream tail(output->tail);
    for (std::string line; std::getline(tail, line);) lines.push_back(line);
    const std::size_t first = lines.size() > most_lines ? lines.size() - most_lines : 0;
    std::string all = fmt::format("\n  The command printed {}{}\n", counted(output->bytes, "byte", "bytes"),
                                  first > 0 || output->bytes > output->tail.size() ? "; the last of it:" : ":");
    for (std::size_t i = first; i < lines.size(); ++i) all += clipped("    | " + lines[i], columns) + "\n";
    return all;
  }
  return {};
}

}  // namespace

std::string differences(const CellSummary& cell, const RunSummary& summary) {
  std::string all;
  if (!cell.note.empty()) all += wrapped("    ", cell.note);
  if (cell.runs > 0) {
    const std::string expected = cell.expected.empty() ? "nothing" : fmt::format("{}", fmt::join(cell.expected, ", "));
    all += wrapped("    expected to break: ", expected, 6);
  }
  for (const Difference& each : differences_of(cell, summary)) {
    all += wrapped("    ", fmt::format("{} {}: {}", each.oracle, each.how, each.because), 6);
  }
  return all;
}

std::string differences_in_short(const CellSummary& cell, const RunSummary& summary) {
  std::string all = cell.note;
  for (const Difference& each : differences_of(cell, summary)) {
    all += fmt::format("{}{} {}{}: {}", all.empty() ? "" : "; ", each.oracle, each.how,
                       cell.expected.contains(each.oracle) ? " (it was expected to break)" : "", each.because);
  }
  return all.empty() ? std::string(name(cell.outcome)) : all;
}

std::string counted_outcomes(const RunSummary& summary) {
  std::map<CellOutcome, std::size_t> counts;
  for (const CellSummary& cell : summary.cells) ++counts[cell.outcome];
  std::string line = fmt::format("{} of {} as expected", grouped(counts[CellOutcome::as_expected]),
                                 counted(summary.cells.size(), "cell", "cells"));
  for (const CellOutcome each : {CellOutcome::not_as_expected, CellOutcome::unknown, CellOutcome::skipped}) {
    if (counts[each] > 0) line += fmt::format(", {} {}", grouped(counts[each]), name(each));
  }
  return line;
}

std::map<std::string, std::size_t> reasons_not_run(const RunSummary& summary) {
  std::map<std::string, std::size_t> reasons;
  for (const CellSummary& cell : summary.cells) {
    if (cell.runs > 0 || cell.outcome == CellOutcome::as_expected) continue;
    const std::string outcome = fmt::format("{}: ", name(cell.outcome));
    ++reasons[cell.note.starts_with(outcome) ? cell.note : outcome + cell.note];
  }
  return reasons;
}

std::string story(const CellSummary& cell, const RunSummary& summary, const Letters& letters) {
  const Exhibit& exhibit = *cell.exhibit;
  std::string all = before_and_after(exhibit.history) + "\n";
  all += timeline(exhibit, cell.one.time_scale(), letters) + "\n";
  std::vector<Difference> told;
  for (const std::string& oracle : summary.oracles) {
    const auto found = exhibit.verdicts.find(oracle);
    if (found == exhibit.verdicts.end()) continue;
    const Verdict& verdict = found->second;
    if (verdict.outcome == Outcome::held || verdict.outcome == Outcome::skipped) continue;
    add({fmt::format("{} {}", letters.at(oracle), oracle), std::string(name(verdict.outcome)), verdict.because}, &told);
  }
  shorten(&told, summary.oracles.size());
  for (const Difference& each : told) all += wrapped("  ", fmt::format("{}, {}: {}", each.oracle, each.how, each.because), 4);
  return all + why_still_there(exhibit.history) + output_of(exhibit.history);
}

std::vector<std::string> subjects_that_hold(const CellSummary& cell, const RunSummary& summary) {
  std::map<std::string, bool> holds;
  Cells alike;
  for (const CellSummary& each : summary.cells) {
    if (each.one.scenario != cell.one.scenario) continue;
    alike.push_back(&each);
    bool& all = holds.try_emplace(subject_name(each), true).first->second;
    all &= each.runs > 0;
    for (const auto& [oracle, tally] : each.oracles) all &= tally.broken_runs == 0 && tally.unknown_runs == 0;
  }
  std::vector<std::string> good;
  for (const std::string& subject : distinct(alike, subject_name)) {
    if (holds[subject]) good.push_back(subject);
  }
  return good;
}

}  // namespace forkproof::reports
