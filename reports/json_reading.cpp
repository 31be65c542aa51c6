#include "reports/json_reading.h"

#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/core/error.h"

namespace forkproof::reports {
namespace {

using Document = nlohmann::json;

std::uint64_t count_in(const Document& object, const char* key) {
  const Document& number = object.at(key);
  if (!number.is_number_unsigned()) throw BadInput(fmt::format("\"{}\" wants a number from 0 on", key));
  return number.get<std::uint64_t>();
}

Nanos duration_in(const Document& milliseconds) {
  const double number = milliseconds.get<double>();
  constexpr double most = 1e12;  // thirty years
  if (!(number >= 0 && number < most)) throw BadInput("a number of milliseconds is no duration");
  return std::chrono::microseconds(std::llround(number * 1000));
}

template <class Enum>
Enum named(const Document& word, std::initializer_list<Enum> all) {
  for (const Enum each : all) {
    if (word.get<std::string>() == name(each)) return each;
  }
  throw BadInput("no outcome is called " + word.dump());
}

Outcome outcome_in(const Document& word) {
  return named(word, {Outcome::held, Outcome::skipped, Outcome::unknown, Outcome::broken});
}

CellOutcome cell_outcome_in(const Document& word) {
  return named(word, {CellOutcome::as_expected, CellOutcome::skipped, CellOutcome::unknown, CellOutcome::not_as_expected});
}

Exhibit exhibit_in(const Document& document) {
  Exhibit exhibit;
  exhibit.run = count_in(document, "run");
  for (const Document& line : document.at("history")) exhibit.history.append(from_line(line.dump()));
  exhibit.history.unreadable_lines = count_in(document, "unreadable_lines");
  for (const auto& [oracle, verdict] : document.at("verdicts").items()) {
    Verdict& read = exhibit.verdicts[oracle];
    read = {outcome_in(verdict.at("outcome")), verdict.at("because"), verdict.at("evidence")};
    for (const std::size_t index : read.evidence) {
      if (index >= exhibit.history.size()) throw BadInput("evidence beyond the end of its history");
    }
  }
  return exhibit;
}

Ending ending_in(const Document& document) {
  Ending ending;
  if (!document.at("left").is_null()) ending.left = count_in(document, "left");
  if (!document.at("took_ms").is_null()) ending.took = duration_in(document.at("took_ms"));
  if (!document.at("status").is_null()) ending.status = WaitStatus(document.at("status").get<int>());
  return ending;
}

CellSummary cell_in(const Document& document) {
  CellSummary cell;
  if (document.contains("exhibit")) {
    cell.exhibit = exhibit_in(document.at("exhibit"));
    const auto events = cell.exhibit->history.events();
    if (!events.empty() && events.front().as<CaseOpened>() != nullptr) cell.one = case_of(cell.exhibit->history);
  }
  cell.one.scenario = document.at("scenario");
  cell.one.question = document.at("question");
  cell.one.seed = count_in(document, "seed");
  if (document.contains("command")) {
    Command command;
    command.argv = document.at("command").get<std::vector<std::string>>();
    command.target = document.value("target", "");
    command.shares = document.value("shares", std::vector<std::string>{});
    cell.one.subject = std::move(command);
  } else {
    // Of a whole case the policies are known too.
    if (!std::holds_alternative<ModelSupervisor>(cell.one.subject)) cell.one.subject = ModelSupervisor{};
    auto& model = std::get<ModelSupervisor>(cell.one.subject);
    model.profile.name = document.at("profile"), model.backend = document.at("backend");
  }
  cell.asked = document.at("asked");
  cell.expected = document.at("expected").get<std::set<std::string>>();
  cell.runs_wanted = count_in(document, "runs_wanted"), cell.runs = count_in(document, "runs");
  cell.unexpected_runs = count_in(document, "unexpected_runs"), cell.unknown_runs = count_in(document, "unknown_runs");
  cell.place = count_in(document, "place");
  cell.outcome = cell_outcome_in(document.at("outcome"));
  cell.note = document.value("note", "");
  // What was written before there were any has none.
  for (const Document& ending : document.value("endings", Document::array())) cell.endings.push_back(ending_in(ending));
  if (cell.endings.size() > most_endings) throw BadInput(fmt::format("more than {} endings", most_endings));
  for (const auto& [oracle, tally] : document.at("oracles").items()) {
    cell.oracles[oracle] = {{outcome_in(tally.at("outcome")), tally.at("because"), {}},
                            count_in(tally, "broken_runs"), count_in(tally, "unknown_runs")};
  }
  cell.wall = duration_in(document.at("wall_ms"));
  return cell;
}

/// What one run of `repro` wrote.
RunSummary run_in(const Document& document) {
  RunSummary summary;
  summary.arena = document.at("arena"), summary.arena_cost = document.at("arena_cost");
  summary.refusals = document.at("refusals").get<std::vector<std::string>>();
  summary.cgroup = document.at("cgroup"), summary.matrix = document.at("matrix");
  summary.oracles = document.at("oracles").get<std::vector<std::string>>();
  summary.interrupted = document.at("interrupted");
  summary.wall = duration_in(document.at("wall_ms"));
  summary.runs_per_cell = count_in(document, "runs_per_cell");
  if (document.contains("time_scale")) summary.time_scale = document.at("time_scale").get<double>();
  if (document.contains("schedule")) summary.schedule = document.at("schedule").get<std::string>();
  if (document.contains("arena_asked")) summary.arena_asked = document.at("arena_asked").get<std::string>();
  if (document.contains("observe")) summary.observe = document.at("observe").get<std::string>();
  summary.run = document.at("run");
  summary.plan = {document.at("plan").at("id"), count_in(document.at("plan"), "cells")};
  const Document& shard = document.at("shard");
  summary.shard = {count_in(shard, "index"), count_in(shard, "count"), shard.at("from")};
  if (summary.run.empty() || summary.plan.id.empty()) throw BadInput("it names no run, or no plan");
  if (summary.shard.index < 1 || summary.shard.index > summary.shard.count) throw BadInput("its shard is none");
  std::set<std::uint64_t> places;
  for (const Document& each : document.at("cells")) {
    const CellSummary& cell = summary.cells.emplace_back(cell_in(each));
    const bool ours = cell.place < summary.plan.cells && summary.shard.has(cell.place) && places.insert(cell.place).second;
    if (!ours) throw BadInput(fmt::format("the cell at place {} is not of its shard, or stands there twice", cell.place));
  }
  return summary;
}

/// nlohmann's messages begin with a name of its own, in brackets.
std::string without_brackets(std::string_view message) {
  const std::size_t end = message.find("] ");
  return std::string(message.starts_with("[") && end != std::string::npos ? message.substr(end + 2) : message);
}

}  // namespace

RunSummary read_json(std::string_view text) {
  try {
    const Document document = Document::parse(text);
    if (!document.is_object()) throw BadInput("no object");
    if (!document.contains("parts")) return run_in(document);
    RunSummary merged;
    for (const Document& part : document.at("parts")) merged.parts.push_back(run_in(part));
    if (merged.parts.empty()) throw BadInput("it was merged from nothing");
    return merged;
  } catch (const BadInput& error) {
    throw BadInput(std::string("is no result of `repro --format json`: ") + error.what());
  } catch (const std::exception& error) {
    throw BadInput("is no result of `repro --format json`: " + without_brackets(error.what()));
  }
}

}  // namespace forkproof::reports
