// Format `json`: one document, with the keys that design.md names and no others, in that order.
#include <nlohmann/json.hpp>

#include "reports/report.h"

namespace forkproof::reports {
namespace {

using Json = nlohmann::ordered_json;

Json cell_document(const CellSummary& cell, const std::vector<std::string>& order) {
  Json document;
  document["scenario"] = cell.one.scenario;
  if (const auto* command = std::get_if<Command>(&cell.one.subject)) document["command"] = command->argv;
  else document["profile"] = cell.one.profile_name();
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
                                   {"broken_runs", tally.broken_runs}};
  }
  document["wall_ms"] = static_cast<double>(cell.wall.count() / 1000) / 1000.0;
  return document;
}

}  // namespace

void json(const RunSummary& summary, std::ostream& out) {
  Json document;
  document["arena"] = summary.arena;
  document["cells"] = Json::array();
  for (const CellSummary& cell : summary.cells) document["cells"].push_back(cell_document(cell, summary.oracles));
  out << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace forkproof::reports
