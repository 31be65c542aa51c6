// The JSON document: the keys that design.md names, in that order, and valid whatever it has to tell.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/report.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const RunSummary& summary) {
  std::ostringstream page;
  find_report("json")->write(summary, page);
  return Json::parse(page.str());
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

TEST(Json, HasTheKeysOfTheDesign) {
  const Json document = json_of(summary_of({with_expected_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork"))}));
  EXPECT_EQ(keys(document), (std::vector<std::string>{"arena", "cells"}));
  const Json& cell = document["cells"][0];
  EXPECT_EQ(keys(cell), (std::vector<std::string>{"scenario", "profile", "backend", "runs", "expected", "outcome", "oracles", "wall_ms"}));
  EXPECT_EQ(cell["scenario"], "heartbeat-409");
  EXPECT_EQ(cell["expected"], Json({"no-orphans"}));
  EXPECT_EQ(cell["outcome"], "as-expected");
  EXPECT_EQ(cell["oracles"]["no-orphans"], (Json{{"outcome", "broken"}, {"because", "helper (pid 4) lives on"}, {"broken_runs", 1}}));
  EXPECT_EQ(cell["wall_ms"], 125.0);
}

TEST(Json, NamesEveryOutcome) {
  const CellSummary good = good_cell("a", "b", "fork");
  const Json cells = json_of(summary_of({good, with_orphan(good), with_unknown(good),
                                         not_run(good, CellOutcome::skipped, "no gobjc")}))["cells"];
  EXPECT_EQ(cells[0]["outcome"], "as-expected");
  EXPECT_EQ(cells[1]["outcome"], "not-as-expected");
  EXPECT_EQ(cells[2]["outcome"], "unknown");
  EXPECT_EQ(cells[3]["outcome"], "skipped");
}

TEST(Json, ACommandStandsInThePlaceOfAProfile) {
  CellSummary cell = good_cell("a", "b", "fork");
  cell.one.subject = Command{{"supervisord", "-n"}};
  EXPECT_EQ(json_of(summary_of({cell}))["cells"][0]["command"], Json({"supervisord", "-n"}));
}

TEST(Json, IsValidWhateverTheReasonIs) {
  const Json document = json_of(summary_of({with_orphan(good_cell("a", "b", "fork"), "\xff\xfe \"quoted\" \x01\n")}));
  EXPECT_EQ(document["cells"][0]["oracles"]["no-orphans"]["because"], "\xef\xbf\xbd\xef\xbf\xbd \"quoted\" \x01\n");
}

}  // namespace
}  // namespace forkproof::reports
