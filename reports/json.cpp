// Format `json`: one document, with the keys of reports/result.schema.json. `repro merge` reads it back
// (json_reading), so all that another report may want to tell is in it; of the runs themselves, the exhibit
// of each cell that is not as expected.
#include <nlohmann/json.hpp>

#include "reports/report.h"
#include "reports/schema_version.h"

namespace forkproof::reports {
namespace {

using Json = nlohmann::ordered_json;

/// To the microsecond.
double milliseconds(Nanos duration) { return static_cast<double>(duration.count() / 1000) / 1000.0; }

Json exhibit_document(const Exhibit& exhibit) {
  Json document{{"run", exhibit.run}, {"verdicts", Json::object()}, {"unreadable_lines", exhibit.history.unreadable_lines}};
  for (const auto& [oracle, verdict] : exhibit.verdicts) {
    document["verdicts"][oracle] = {{"outcome", name(verdict.outcome)}, {"because", verdict.because}, {"evidence", verdict.evidence}};
  }
  document["history"] = Json::array();
  for (const Event& event : exhibit.history.events()) document["history"].push_back(Json::parse(to_line(event)));
  return document;
}

/// A run's end, with null for what could not be told; the status is the kernel's wait status.
Json ending_document(const Ending& ending) {
  Json document{{"left", nullptr}, {"took_ms", nullptr}, {"status", nullptr}};
  if (ending.left) document["left"] = *ending.left;
  if (ending.took) document["took_ms"] = milliseconds(*ending.took);
  if (ending.status) document["status"] = ending.status->raw();
  return document;
}

Json cell_document(const CellSummary& cell, const std::vector<std::string>& order) {
  Json document;
  document["scenario"] = cell.one.scenario;
  if (const auto* command = std::get_if<Command>(&cell.one.subject)) {
    document["command"] = command->argv;
    if (!command->target.empty()) document["target"] = command->target;
    if (!command->shares.empty()) document["shares"] = command->shares;
  } else {
    document["profile"] = cell.one.profile_name();
  }
  document["backend"] = cell.one.backend_name();
  document["runs"] = cell.runs;
  document["expected"] = cell.expected;
  document["outcome"] = name(cell.outcome);
  document["oracles"] = Json::object();
  for (const std::string& oracle : order) {
    const auto found = cell.oracles.find(oracle);
    if (found == cell.oracles.end()) continue;
    const OracleTally& tally = found->second;
    document["oracles"][oracle] = {{"outcome", name(tally.worst.outcome)},
                                   {"because", tally.worst.because},
                                   {"broken_runs", tally.broken_runs},
                                   {"unknown_runs", tally.unknown_runs}};
  }
  document["wall_ms"] = milliseconds(cell.wall);
  document["runs_wanted"] = cell.runs_wanted;
  document["unexpected_runs"] = cell.unexpected_runs;
  document["unknown_runs"] = cell.unknown_runs;
  document["place"] = cell.place;
  document["asked"] = cell.asked;
  document["question"] = cell.one.question;
  document["seed"] = cell.one.seed;
  document["endings"] = Json::array();
  for (const Ending& ending : cell.endings) document["endings"].push_back(ending_document(ending));
  if (!cell.note.empty()) document["note"] = cell.note;
  const bool differs = cell.outcome == CellOutcome::not_as_expected || cell.outcome == CellOutcome::unknown;
  if (differs && cell.exhibit) document["exhibit"] = exhibit_document(*cell.exhibit);
  return document;
}

/// How many cells came out how, and the runs of all of them.
Json counts_document(const RunSummary& summary) {
  std::map<CellOutcome, std::uint64_t> cells;
  std::uint64_t runs = 0, unexpected = 0, unknown = 0;
  for (const CellSummary& cell : summary.cells) {
    ++cells[cell.outcome];
    runs += cell.runs, unexpected += cell.unexpected_runs, unknown += cell.unknown_runs;
  }
  Json counts{{"cells", summary.cells.size()}};
  for (const auto outcome : {CellOutcome::as_expected, CellOutcome::not_as_expected, CellOutcome::unknown, CellOutcome::skipped}) {
    counts[std::string(name(outcome))] = cells[outcome];
  }
  counts.update({{"runs", runs}, {"unexpected_runs", unexpected}, {"unknown_runs", unknown}});
  return counts;
}

/// One run of `repro`, or, with `parts`, several that were merged. A part keeps the exhibits, so the whole
/// has none.
Json summary_document(const RunSummary& summary) {
  Json document;
  document["schema_version"] = schema_version;
  document["arena"] = summary.arena;
  document["cells"] = Json::array();
  for (const CellSummary& cell : summary.cells) {
    document["cells"].push_back(cell_document(cell, summary.oracles));
    if (!summary.parts.empty()) document["cells"].back().erase("exhibit");
  }
  document["counts"] = counts_document(summary);
  document["oracles"] = summary.oracles;
  document["arena_cost"] = summary.arena_cost;
  document["refusals"] = summary.refusals;
  document["cgroup"] = summary.cgroup;
  document["matrix"] = summary.matrix;
  document["runs_per_cell"] = summary.runs_per_cell;
  if (summary.time_scale) document["time_scale"] = *summary.time_scale;
  if (summary.schedule) document["schedule"] = *summary.schedule;
  if (summary.arena_asked) document["arena_asked"] = *summary.arena_asked;
  if (summary.observe) document["observe"] = *summary.observe;
  document["interrupted"] = summary.interrupted;
  document["wall_ms"] = milliseconds(summary.wall);
  document["run"] = summary.run;
  document["plan"] = {{"id", summary.plan.id}, {"cells", summary.plan.cells}};
  document["shard"] = {{"index", summary.shard.index}, {"count", summary.shard.count}, {"from", summary.shard.from}};
  if (summary.parts.empty()) return document;
  document["gaps"] = summary.gaps;
  document["parts"] = Json::array();
  for (const RunSummary& part : summary.parts) document["parts"].push_back(summary_document(part));
  return document;
}

}  // namespace

void report_json(const RunSummary& summary, std::ostream& out) {
  out << summary_document(summary).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace forkproof::reports
