#pragma once
#include <chrono>
#include <string>
#include <utility>

#include "harness/core/summary.h"

namespace forkproof::reports {

using namespace std::chrono_literals;

/// A cell of a model supervisor that held everything in its one run.
inline CellSummary good_cell(const std::string& scenario, const std::string& profile, const std::string& backend) {
  CellSummary cell;
  cell.one.scenario = scenario;
  cell.one.question = "Does it hold?";
  Profile policy;
  policy.name = profile;
  policy.time_scale = 1;
  cell.one.subject = ModelSupervisor{policy, backend};
  cell.asked = scenario.substr(0, scenario.find('/'));
  cell.runs_wanted = cell.runs = 1;
  cell.outcome = CellOutcome::as_expected;
  cell.wall = 125ms;
  cell.oracles["no-orphans"] = {held("nobody is left"), 0, 0};
  cell.oracles["state-reported"] = {held("it told"), 0, 0};
  return cell;
}

/// A run in which the helper (pid 4) outlives its task (pid 3).
inline History orphan_history(const std::string& role = "helper") {
  History history;
  const auto at = [&](Nanos when, Happening what) { history.append({when, std::move(what)}); };
  at(0ms, ArenaOpened{"sealed", true, warden_pid, ""});
  at(1ms, Spawned{2, warden_pid, -1, "supervisor"});
  at(2ms, Spawned{3, 2, 0, "task-runner"});
  at(3ms, Spawned{4, 3, 1, role});
  at(10ms, TeardownAsked{"heartbeat 3 was answered 409"});
  at(12ms, Exited{3, "task-runner", WaitStatus(9), true});
  at(13ms, Reparented{4, 3, warden_pid, false});
  at(20ms, CensusTaken{"conclusion", true, {{.pid = 4, .parent = warden_pid, .state = "S", .name = role}}});
  return history;
}

/// The same cell with an orphan that nobody expected, and the run that shows it.
inline CellSummary with_orphan(CellSummary cell, const std::string& because = "helper (pid 4) lives on") {
  const Verdict verdict = broken(because, {6});
  cell.outcome = CellOutcome::not_as_expected;
  cell.unexpected_runs = 1;
  cell.oracles["no-orphans"] = {verdict, 1, 0};
  cell.exhibit = Exhibit{0, orphan_history(), {{"no-orphans", verdict}, {"state-reported", held("it told")}}};
  return cell;
}

/// The same cell with an orphan that was expected.
inline CellSummary with_expected_orphan(CellSummary cell) {
  cell = with_orphan(std::move(cell));
  cell.outcome = CellOutcome::as_expected;
  cell.unexpected_runs = 0;
  cell.expected = {"no-orphans"};
  return cell;
}

inline CellSummary with_unknown(CellSummary cell, const std::string& because = "the census could not be taken") {
  cell.outcome = CellOutcome::unknown;
  cell.unexpected_runs = 1;
  cell.oracles["no-orphans"] = {unknown(because), 0, 1};
  return cell;
}

inline CellSummary not_run(CellSummary cell, CellOutcome outcome, const std::string& note) {
  cell.runs = 0;
  cell.oracles.clear();
  cell.outcome = outcome;
  cell.note = note;
  return cell;
}

inline RunSummary summary_of(std::vector<CellSummary> cells, bool matrix = true) {
  RunSummary summary;
  summary.matrix = matrix;
  summary.arena = "sealed";
  summary.cgroup = true;
  summary.oracles = {"no-orphans", "state-reported"};
  summary.cells = std::move(cells);
  summary.wall = 2s;
  return summary;
}

}  // namespace forkproof::reports
