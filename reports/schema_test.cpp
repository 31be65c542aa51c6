// result.schema.json against what the report writes. The validator knows the part of JSON Schema that the file uses,
// and refuses the rest, so that no rule is passed over.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "harness/core/error.h"
#include "reports/json_reading.h"
#include "reports/report.h"
#include "reports/schema_version.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using UnorderedJson = nlohmann::json;

class Schema {
 public:
  explicit Schema(UnorderedJson root) : root_(std::move(root)) {}
  /// What is wrong with a document, each with its place; empty when nothing is.
  [[nodiscard]] std::vector<std::string> faults_of(const UnorderedJson& document) const {
    std::vector<std::string> faults;
    check(document, root_, "", faults);
    return faults;
  }

 private:
  using Faults = std::vector<std::string>;

  [[nodiscard]] const UnorderedJson& resolved(const UnorderedJson& rule) const {
    if (!rule.contains("$ref")) return rule;
    return root_.at(UnorderedJson::json_pointer(rule["$ref"].get<std::string>().substr(1)));
  }

  static bool is_a(const UnorderedJson& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "null") return value.is_null();
    throw HarnessFailure("result.schema.json: a type that this test does not know: " + type);
  }

  static bool has_type(const UnorderedJson& value, const UnorderedJson& types) {
    if (types.is_string()) return is_a(value, types);
    return std::any_of(types.begin(), types.end(), [&value](const UnorderedJson& type) { return is_a(value, type); });
  }

  void check_members(const UnorderedJson& value, const UnorderedJson& rule, const std::string& place, Faults& faults) const {
    const UnorderedJson none = UnorderedJson::object();
    const UnorderedJson& properties = rule.contains("properties") ? rule["properties"] : none;
    for (const auto& key : rule.value("required", UnorderedJson::array())) {
      if (!value.contains(key)) faults.push_back(place + ": lacks " + key.get<std::string>());
    }
    for (const auto& [key, member] : value.items()) {
      const std::string below = place + "/" + key;
      if (properties.contains(key)) check(member, properties[key], below, faults);
      else if (!rule.contains("additionalProperties")) continue;
      else if (rule["additionalProperties"].is_object()) check(member, rule["additionalProperties"], below, faults);
      else if (!rule["additionalProperties"].get<bool>()) faults.push_back(below + ": is not in the schema");
    }
  }

  void check(const UnorderedJson& value, const UnorderedJson& unresolved, const std::string& place, Faults& faults) const {
    const UnorderedJson& rule = resolved(unresolved);
    static const std::set<std::string> known{"$schema", "title", "description", "$defs", "$ref", "type", "properties", "required",
                                             "additionalProperties", "items", "enum", "const", "minimum"};
    for (const auto& [word, meaning] : rule.items()) {
      if (!known.contains(word)) throw HarnessFailure("result.schema.json: a rule that this test does not know: " + word);
    }
    if (rule.contains("const") && value != rule["const"]) faults.push_back(place + ": is not " + rule["const"].dump());
    if (rule.contains("enum") && std::find(rule["enum"].begin(), rule["enum"].end(), value) == rule["enum"].end()) {
      faults.push_back(place + ": " + value.dump() + " is none of " + rule["enum"].dump());
    }
    if (rule.contains("type") && !has_type(value, rule["type"])) {
      faults.push_back(place + ": " + value.dump() + " is no " + rule["type"].dump());
      return;
    }
    if (rule.contains("minimum") && value.is_number() && value.get<double>() < rule["minimum"].get<double>()) {
      faults.push_back(place + ": is less than " + rule["minimum"].dump());
    }
    if (value.is_object()) check_members(value, rule, place, faults);
    if (!value.is_array() || !rule.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i) check(value[i], rule["items"], place + "/" + std::to_string(i), faults);
  }

  UnorderedJson root_;
};

UnorderedJson schema_file() {
  std::ifstream file(FORKPROOF_SOURCE "/reports/result.schema.json");
  return UnorderedJson::parse(file);
}

std::string written(const RunSummary& summary) {
  std::ostringstream page;
  find_report("json")->write(summary, page);
  return page.str();
}

RunSummary with_everything() {
  CellSummary orphan = with_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork"));
  orphan.endings.push_back({1, 12ms, WaitStatus(9)});
  orphan.endings.emplace_back();
  CellSummary command = good_cell("term-supervisor/tree", "", "");
  Command tini;
  tini.argv = {"tini", "--", "{task}"}, tini.target = "tini", tini.shares = {"/tmp"};
  command.one.subject = tini;
  command.outcome = CellOutcome::skipped, command.note = "skipped: tini is not there";
  RunSummary summary = summary_of({orphan, command});
  summary.refusals = {"user namespaces"};
  summary.time_scale = 0.5, summary.schedule = "random:1", summary.arena_asked = "sealed", summary.observe = "proc";
  return summary;
}

using Faults = std::vector<std::string>;

TEST(Schema, HoldsForAResultWithEverything) {
  const UnorderedJson document = UnorderedJson::parse(written(with_everything()));
  EXPECT_EQ(Schema(schema_file()).faults_of(document), Faults{});
}

TEST(Schema, HoldsForAMergedResult) {
  RunSummary merged = summary_of({});
  merged.parts = {with_everything()};
  merged.gaps = {"shard 2 of 2 is missing"};
  EXPECT_EQ(Schema(schema_file()).faults_of(UnorderedJson::parse(written(merged))), Faults{});
}

TEST(Schema, NamesWhatDoesNotFit) {
  UnorderedJson document = UnorderedJson::parse(written(with_everything()));
  document["schema_version"] = 2;
  document["cells"][0]["outcome"] = "green";
  document["cells"][0]["runs"] = -1;
  document["cells"][1].erase("question");
  document["cgroup"] = "yes";
  document["mood"] = "good";
  EXPECT_EQ(Schema(schema_file()).faults_of(document),
            (Faults{"/cells/0/outcome: \"green\" is none of [\"as-expected\",\"not-as-expected\",\"unknown\",\"skipped\"]",
                    "/cells/0/runs: is less than 0", "/cells/1: lacks question", "/cgroup: \"yes\" is no \"boolean\"",
                    "/mood: is not in the schema", "/schema_version: is not 1"}));
}

TEST(Schema, HasTheVersionOfTheProgram) { EXPECT_EQ(schema_file()["properties"]["schema_version"]["const"], schema_version); }

TEST(Schema, ANewerResultIsRefusedAndAnOlderOneIsRead) {
  RunSummary summary = summary_of({good_cell("heartbeat-409", "exemplary", "fork")});
  summary.run = "00ff", summary.plan = {"p", 1};
  UnorderedJson document = UnorderedJson::parse(written(summary));
  EXPECT_NO_THROW((void)read_json(document.dump()));
  document["schema_version"] = schema_version + 1;
  EXPECT_THROW((void)read_json(document.dump()), BadInput);
  document.erase("schema_version");
  EXPECT_NO_THROW((void)read_json(document.dump()));
}

}  // namespace
}  // namespace forkproof::reports
