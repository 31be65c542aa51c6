#include "reports/json_reading.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/json_place.h"
#include "reports/schema_version.h"

namespace forkproof::reports {
namespace {

Nanos duration_in(const JsonPlace& milliseconds) {
  constexpr double most = 1e10;  // four months: many of them can be added up
  return std::chrono::microseconds(std::llround(milliseconds.number(0, most) * 1000));
}

template <class Enum>
Enum named(const JsonPlace& word, std::initializer_list<Enum> all) {
  for (const Enum each : all) {
    if (word.text() == name(each)) return each;
  }
  word.refuse("no outcome is called " + word.json().dump());
}

Outcome outcome_in(const JsonPlace& word) {
  return named(word, {Outcome::held, Outcome::skipped, Outcome::unknown, Outcome::broken});
}

CellOutcome cell_outcome_in(const JsonPlace& word) {
  return named(word, {CellOutcome::as_expected, CellOutcome::skipped, CellOutcome::unknown, CellOutcome::not_as_expected});
}

Event event_in(const JsonPlace& line) {
  try {
    return from_line(line.json().dump());
  } catch (const std::exception&) {
    line.refuse("is no event of a history");
  }
}

Verdict verdict_in(const JsonPlace& document, std::size_t events) {
  Verdict verdict;
  verdict.outcome = outcome_in(document.at("outcome"));
  verdict.because = document.at("because").text();
  for (const JsonPlace& index : document.at("evidence").items()) {
    if (index.count() >= events) index.refuse("evidence beyond the end of its history");
    verdict.evidence.push_back(index.count());
  }
  return verdict;
}

Exhibit exhibit_in(const JsonPlace& document) {
  Exhibit exhibit;
  exhibit.run = document.at("run").count();
  for (const JsonPlace& line : document.at("history").items()) exhibit.history.append(event_in(line));
  exhibit.history.unreadable_lines = document.at("unreadable_lines").count();
  for (const auto& [oracle, verdict] : document.at("verdicts").members()) {
    exhibit.verdicts.emplace(oracle, verdict_in(verdict, exhibit.history.size()));
  }
  return exhibit;
}

/// The case that the exhibit's history begins with; nothing where it begins otherwise.
std::optional<Case> case_in(const Exhibit& exhibit, const JsonPlace& document) {
  const auto events = exhibit.history.events();
  if (events.empty() || events.front().as<CaseOpened>() == nullptr) return std::nullopt;
  try {
    return case_of(exhibit.history);
  } catch (const std::exception&) {
    document.at("history").refuse("its first event holds no case");
  }
}

Ending ending_in(const JsonPlace& document) {
  Ending ending;
  if (const auto left = document.find("left")) ending.left = left->count();
  if (const auto took = document.find("took_ms")) ending.took = duration_in(*took);
  constexpr std::int64_t most_status = std::numeric_limits<int>::max();
  if (const auto status = document.find("status")) ending.status = WaitStatus(static_cast<int>(status->whole(-most_status, most_status)));
  return ending;
}

Subject subject_in(const JsonPlace& document, const Subject& of_the_case) {
  if (const auto argv = document.find("command")) {
    Command command;
    command.argv = argv->texts();
    if (const auto target = document.find("target")) command.target = target->text();
    if (const auto shares = document.find("shares")) command.shares = shares->texts();
    return command;
  }
  // Of a whole case the policies are known too.
  const auto* known = std::get_if<ModelSupervisor>(&of_the_case);
  ModelSupervisor model = known != nullptr ? *known : ModelSupervisor{};
  model.profile.name = document.at("profile").text(), model.backend = document.at("backend").text();
  return model;
}

OracleTally tally_in(const JsonPlace& document) {
  OracleTally tally;
  tally.worst.outcome = outcome_in(document.at("outcome"));
  tally.worst.because = document.at("because").text();
  tally.broken_runs = document.at("broken_runs").count(), tally.unknown_runs = document.at("unknown_runs").count();
  return tally;
}

CellSummary cell_in(const JsonPlace& document) {
  CellSummary cell;
  if (const auto exhibit = document.find("exhibit")) {
    cell.exhibit = exhibit_in(*exhibit);
    if (auto one = case_in(*cell.exhibit, *exhibit)) cell.one = std::move(*one);
  }
  cell.one.scenario = document.at("scenario").text();
  cell.one.question = document.at("question").text();
  cell.one.seed = document.at("seed").count();
  cell.one.subject = subject_in(document, cell.one.subject);
  cell.asked = document.at("asked").text();
  for (std::string& oracle : document.at("expected").texts()) cell.expected.insert(std::move(oracle));
  cell.runs_wanted = document.at("runs_wanted").count(), cell.runs = document.at("runs").count();
  cell.unexpected_runs = document.at("unexpected_runs").count(), cell.unknown_runs = document.at("unknown_runs").count();
  cell.place = document.at("place").count();
  cell.outcome = cell_outcome_in(document.at("outcome"));
  if (const auto note = document.find("note")) cell.note = note->text();
  // What was written before there were any has none.
  if (const auto endings = document.find("endings")) {
    for (const JsonPlace& each : endings->items()) cell.endings.push_back(ending_in(each));
    if (cell.endings.size() > most_endings) endings->refuse(fmt::format("more than {} endings", most_endings));
  }
  for (const auto& [oracle, tally] : document.at("oracles").members()) cell.oracles.emplace(oracle, tally_in(tally));
  cell.wall = duration_in(document.at("wall_ms"));
  return cell;
}

std::string name_in(const JsonPlace& word) {
  if (word.text().empty()) word.refuse("is empty: it names nothing");
  return word.text();
}

Plan plan_in(const JsonPlace& document) {
  Plan plan;
  plan.id = name_in(document.at("id")), plan.cells = document.at("cells").count();
  return plan;
}

Shard shard_in(const JsonPlace& document) {
  Shard shard;
  shard.index = document.at("index").count(), shard.count = document.at("count").count();
  shard.from = document.at("from").text();
  constexpr std::uint64_t most = 1'000'000;
  if (shard.count > most) document.refuse(fmt::format("more than {} shards", most));
  if (shard.index < 1 || shard.index > shard.count) document.refuse(fmt::format("no shard is {} of {}", shard.index, shard.count));
  return shard;
}

/// A result of before there was a version has none.
void refuse_newer(const JsonPlace& document) {
  const auto version = document.find("schema_version");
  if (!version || version->count() <= schema_version) return;
  version->refuse(fmt::format("is {}, and this program reads results up to {}: use the newer repro", version->count(), schema_version));
}

/// Reports walk the list of oracles: the verdict of one that is not listed would be lost without a word.
void refuse_unlisted(const CellSummary& cell, const std::vector<std::string>& listed, const JsonPlace& document) {
  for (const auto& [oracle, tally] : cell.oracles) {
    if (std::find(listed.begin(), listed.end(), oracle) != listed.end()) continue;
    document.at("oracles").at(oracle).refuse("this oracle is not in the list /oracles");
  }
}

/// What one run of `repro` wrote.
RunSummary run_in(const JsonPlace& document) {
  refuse_newer(document);
  RunSummary summary;
  summary.arena = document.at("arena").text(), summary.arena_cost = document.at("arena_cost").text();
  summary.refusals = document.at("refusals").texts();
  summary.cgroup = document.at("cgroup").flag(), summary.matrix = document.at("matrix").flag();
  summary.oracles = document.at("oracles").texts();
  summary.interrupted = document.at("interrupted").flag();
  summary.wall = duration_in(document.at("wall_ms"));
  summary.runs_per_cell = document.at("runs_per_cell").count();
  if (const auto scale = document.find("time_scale")) summary.time_scale = scale->number(1e-9, 1e9);
  if (const auto schedule = document.find("schedule")) summary.schedule = schedule->text();
  if (const auto tier = document.find("arena_asked")) summary.arena_asked = tier->text();
  if (const auto way = document.find("observe")) summary.observe = way->text();
  summary.run = name_in(document.at("run"));
  summary.plan = plan_in(document.at("plan"));
  summary.shard = shard_in(document.at("shard"));
  std::set<std::uint64_t> places;
  for (const JsonPlace& each : document.at("cells").items()) {
    const CellSummary& cell = summary.cells.emplace_back(cell_in(each));
    const bool ours = cell.place < summary.plan.cells && summary.shard.has(cell.place) && places.insert(cell.place).second;
    if (!ours) each.refuse(fmt::format("the cell at place {} is not of its shard, or stands there twice", cell.place));
    refuse_unlisted(cell, summary.oracles, each);
  }
  return summary;
}

}  // namespace

RunSummary read_json(std::string_view text) {
  try {
    const auto document = parse_json(text);
    const JsonPlace place(document);
    refuse_newer(place);
    const auto parts = place.find("parts");
    if (!parts) return run_in(place);
    RunSummary merged;
    for (const JsonPlace& part : parts->items()) merged.parts.push_back(run_in(part));
    if (merged.parts.empty()) parts->refuse("it was merged from nothing");
    return merged;
  } catch (const BadInput& error) {
    throw BadInput(std::string("is no result of `repro --format json`: ") + error.what());
  }
}

}  // namespace forkproof::reports
