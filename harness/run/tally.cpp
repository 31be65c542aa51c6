#include "harness/run/tally.h"

#include <algorithm>

#include "harness/run/ending.h"

namespace forkproof::run {

CellOutcome compare(const std::map<std::string, Verdict>& verdicts, const std::set<std::string>& expected) {
  bool any_unknown = false, any_judged = false;
  for (const auto& [oracle, verdict] : verdicts) {
    const bool should_break = expected.contains(oracle);
    any_judged |= verdict.outcome != Outcome::skipped;
    if (verdict.outcome == Outcome::unknown) any_unknown = true;
    else if ((verdict.outcome == Outcome::broken) != should_break) return CellOutcome::not_as_expected;
  }
  return any_unknown || !any_judged ? CellOutcome::unknown : CellOutcome::as_expected;
}

namespace {

bool any_broken(const std::map<std::string, Verdict>& verdicts) {
  return std::any_of(verdicts.begin(), verdicts.end(),
                     [](const auto& each) { return each.second.outcome == Outcome::broken; });
}

/// A run that differs is told before one that breaks as expected, and that before one that holds.
int worth_telling(CellOutcome outcome, const std::map<std::string, Verdict>& verdicts) {
  if (outcome != CellOutcome::as_expected) return 1 + static_cast<int>(outcome);
  return any_broken(verdicts) ? 1 : 0;
}

}  // namespace

void tally(CellSummary& cell, std::uint64_t run, History history, std::map<std::string, Verdict> verdicts) {
  const CellOutcome outcome = compare(verdicts, cell.expected);
  cell.outcome = cell.runs == 0 ? outcome : std::max(cell.outcome, outcome);
  ++cell.runs;
  if (outcome != CellOutcome::as_expected) ++cell.unexpected_runs;
  if (outcome == CellOutcome::unknown) ++cell.unknown_runs;
  for (const auto& [oracle, verdict] : verdicts) {
    auto [entry, is_new] = cell.oracles.try_emplace(oracle, OracleTally{verdict, 0, 0});
    if (!is_new && verdict.outcome > entry->second.worst.outcome) entry->second.worst = verdict;
    if (verdict.outcome == Outcome::broken) ++entry->second.broken_runs;
    if (verdict.outcome == Outcome::unknown) ++entry->second.unknown_runs;
  }
  if (cell.endings.size() < most_endings) cell.endings.push_back(ending_of(history));
  const int worth = worth_telling(outcome, verdicts);
  const int told = cell.exhibit ? worth_telling(compare(cell.exhibit->verdicts, cell.expected), cell.exhibit->verdicts) : -1;
  if (worth > told) cell.exhibit = Exhibit{run, std::move(history), std::move(verdicts)};
}

}  // namespace forkproof::run
