// The JSON document: the keys of result.schema.json, valid whatever it has to tell, and read back without
// loss.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/core/error.h"
#include "reports/json_reading.h"
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

TEST(Json, HasTheKeysOfTheSchema) {
  const Json document = json_of(summary_of({with_expected_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork"))}));
  EXPECT_EQ(keys(document), (std::vector<std::string>{"schema_version", "arena", "cells", "counts", "oracles", "arena_cost", "refusals", "cgroup",
                                                      "matrix", "runs_per_cell", "interrupted", "wall_ms", "run", "plan", "shard"}));
  const Json& cell = document["cells"][0];
  EXPECT_EQ(keys(cell), (std::vector<std::string>{"scenario", "profile", "backend", "runs", "expected", "outcome", "oracles", "wall_ms",
                                                  "runs_wanted", "unexpected_runs", "unknown_runs", "place", "asked",
                                                  "question", "seed", "endings"}));
  EXPECT_EQ(cell["scenario"], "heartbeat-409");
  EXPECT_EQ(cell["expected"], Json({"no-orphans"}));
  EXPECT_EQ(cell["outcome"], "as-expected");
  EXPECT_EQ(cell["oracles"]["no-orphans"], (Json{{"outcome", "broken"}, {"because", "helper (pid 4) lives on"}, {"broken_runs", 1}, {"unknown_runs", 0}}));
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

TEST(Json, CountsCellsAndRuns) {
  const CellSummary good = good_cell("a", "b", "fork");
  CellSummary unclear = with_unknown(good);
  unclear.runs = 5, unclear.unexpected_runs = 3, unclear.unknown_runs = 2;
  const Json counts = json_of(summary_of({good, unclear, not_run(good, CellOutcome::skipped, "no gobjc")}))["counts"];
  EXPECT_EQ(counts, Json({{"cells", 3}, {"as-expected", 1}, {"not-as-expected", 0}, {"unknown", 1}, {"skipped", 1}, {"runs", 6},
                          {"unexpected_runs", 3}, {"unknown_runs", 2}}));
}

/// As a real history begins: with the case.
CellSummary with_case_in_history(CellSummary cell) {
  History whole;
  whole.append({0ms, CaseOpened{to_document(cell.one)}});
  for (const Event& event : cell.exhibit->history.events()) whole.append(event);
  cell.exhibit->history = std::move(whole);
  return cell;
}

/// One of each kind of cell, as a machine's share.
RunSummary full_summary() {
  const CellSummary good = good_cell("a/variant", "b", "fork");
  CellSummary command = good_cell("a", "b", "fork");
  command.one.subject = Command{{"supervisord", "-n"}};
  CellSummary target = command;
  std::get<Command>(target.one.subject).target = "supervisord";
  RunSummary summary = summary_of({good, target, with_case_in_history(with_orphan(good)), with_unknown(good), command,
                                   not_run(good, CellOutcome::skipped, "skipped: no gobjc")});
  summary.run = "00ff", summary.plan = {"abcd", 24}, summary.shard = {2, 4, "SLURM_ARRAY_TASK_ID"};
  for (std::size_t i = 0; i < summary.cells.size(); ++i) summary.cells[i].place = 1 + 4 * i, summary.cells[i].one.seed = i;
  summary.arena_cost = "less", summary.refusals = {"sealed: EPERM"}, summary.time_scale = 0.5;
  summary.arena_asked = "user-namespace", summary.observe = "proc";
  summary.cells[1].endings = {{2, 770us, WaitStatus::killed_by(15)}, {std::nullopt, std::nullopt, std::nullopt}};
  return summary;
}

std::string text_of(const RunSummary& summary) {
  std::ostringstream page;
  find_report("json")->write(summary, page);
  return page.str();
}

TEST(JsonReading, LosesNothing) {
  const std::string text = text_of(full_summary());
  EXPECT_EQ(text_of(read_json(text)), text);
}

TEST(JsonReading, TellsTheSameInEveryOtherFormat) {
  const RunSummary summary = full_summary(), back = read_json(text_of(summary));
  for (const ReportRow& row : reports()) {
    std::ostringstream first, second;
    row.write(summary, first), row.write(back, second);
    EXPECT_EQ(first.str(), second.str()) << row.key;
  }
}

TEST(JsonReading, ACellThatHasRunHasRunForTheLeagueToo) {
  CellSummary cell = good_cell("term", "", "");
  Command command{{"tini", "{task}"}};
  command.target = "tini";
  cell.one.subject = command;
  cell.endings = {{1, 3ms, WaitStatus::exited_with(0)}};
  RunSummary summary = summary_of({cell});
  summary.run = "00ff", summary.plan = {"abcd", 1};
  std::ostringstream page;
  find_report("league")->write(read_json(text_of(summary)), page);
  EXPECT_NE(page.str().find("  tini     1   3.00 ms  exit 0\n"), std::string::npos) << page.str();
}

TEST(JsonReading, AResultFromBeforeThereWereEndingsIsRead) {
  Json document = Json::parse(text_of(full_summary()));
  for (Json& cell : document["cells"]) cell.erase("endings");
  EXPECT_EQ(read_json(document.dump()).cells.size(), full_summary().cells.size());
}

TEST(JsonReading, OfWhatWasMergedOnlyThePartsAreBelieved) {
  RunSummary whole = full_summary();
  whole.parts = {full_summary()};
  whole.gaps = {"shard 1 of 4 is missing"};
  const RunSummary back = read_json(text_of(whole));
  ASSERT_EQ(back.parts.size(), 1U);
  EXPECT_EQ(back.parts.front().run, "00ff");
  EXPECT_TRUE(back.cells.empty());
}

/// What reading says when one value of a right document is another.
std::string refusal(const char* pointer, const Json& value) {
  Json document = Json::parse(text_of(full_summary()));
  document[Json::json_pointer(pointer)] = value;
  try {
    (void)read_json(document.dump());
    return "";
  } catch (const BadInput& error) {
    return error.what();
  }
}

// g++ 12 destroyed what an inner brace list had made twice when a later element threw.
TEST(JsonReading, WhatIsMissingAnywhereIsRefusedAtItsPlace) {
  const Json whole = Json::parse(text_of(full_summary()));
  for (const char* pointer : {"/cells/0/oracles/no-orphans/broken_runs", "/cells/0/oracles/no-orphans/because", "/plan/cells", "/shard/from",
                              "/cells/2/exhibit/verdicts/no-orphans/evidence"}) {
    Json document = whole;
    const Json::json_pointer place(pointer);
    document[place.parent_pointer()].erase(place.back());
    try {
      (void)read_json(document.dump());
      ADD_FAILURE() << pointer;
    } catch (const BadInput& error) {
      const std::string expected = place.parent_pointer().to_string() + ": has no \"" + place.back() + "\"";
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
  EXPECT_NE(refusal("/cells/0/runs", "x").find(": /cells/0/runs: wants a number from 0 on, not string"), std::string::npos);
}

TEST(JsonReading, RefusesWhatIsNoResultInOneLine) {
  EXPECT_THROW(read_json(""), BadInput);
  EXPECT_THROW(read_json("{"), BadInput);
  EXPECT_THROW(read_json("[]"), BadInput);
  EXPECT_THROW(read_json("{\"arena\": \"sealed\", \"cells\": []}"), BadInput);
  EXPECT_THROW(read_json("{\"parts\": []}"), BadInput);
  EXPECT_EQ(refusal("/cells/0/runs", 1), "");
  EXPECT_NE(refusal("/cells/0/runs", -1), "");
  EXPECT_NE(refusal("/cells/0/outcome", "fine"), "");
  EXPECT_NE(refusal("/cells/0/wall_ms", -5), "");
  EXPECT_NE(refusal("/cells/1/endings/0/took_ms", -5), "");
  EXPECT_NE(refusal("/cells/1/endings/0/left", -5), "");
  EXPECT_NE(refusal("/cells/1/endings/0/status", "x"), "");
  EXPECT_NE(refusal("/cells/0/place", 2), "");   // another shard's
  EXPECT_NE(refusal("/cells/0/place", 5), "");   // twice
  EXPECT_NE(refusal("/cells/0/place", 25), "");  // beyond the plan
  EXPECT_NE(refusal("/shard/index", 5), "");
  EXPECT_NE(refusal("/shard/count", 0), "");
  EXPECT_NE(refusal("/run", ""), "");
  EXPECT_NE(refusal("/cells/2/exhibit/verdicts/no-orphans/evidence/0", 1000), "");
  EXPECT_EQ(refusal("/cells/0/runs", "x").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace forkproof::reports
