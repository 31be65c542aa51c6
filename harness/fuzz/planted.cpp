#include "harness/fuzz/planted.h"

#include <algorithm>
#include <iterator>

#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario_writer.h"

namespace forkproof::fuzz {
namespace {

Profile profile_named(const std::string& name) {
  return scenario::read_profile(scenario::library_directory() + "/profiles", name);
}

std::set<std::string> policies_of(const scenario::Scenario& question) {
  std::set<std::string> policies;
  for (const std::string& name : question.profiles) {
    const Profile profile = profile_named(name);
    for (const Knob& knob : knobs()) policies.insert(std::string(knob.key) + "=" + std::string(knob.values[knob.get(profile)].word));
  }
  return policies;
}

bool has_only_right_values(const std::string& name) {
  const Profile profile = profile_named(name);
  return std::ranges::all_of(knobs(), [&profile](const Knob& knob) { return knob.values[knob.get(profile)].worth != Worth::wrong; });
}

void add_cells(const scenario::Scenario& question, const std::vector<std::string>& backends, std::vector<CatalogueCell>* cells) {
  run::Choice choice;
  std::ranges::copy_if(question.profiles, std::back_inserter(choice.profiles), has_only_right_values);
  if (choice.profiles.empty()) return;
  choice.backends = backends, choice.only_own = true;
  for (run::Cell& cell : run::cross(question, choice)) {
    if (cell.expected.empty()) cells->push_back({std::move(cell), policies_of(question)});
  }
}

}  // namespace

std::vector<Planted> planted_defects() {
  std::vector<Planted> defects;
  for (const Knob& knob : knobs()) {
    std::string right;
    for (const KnobValue& value : knob.values) {
      if (value.worth == Worth::right) right = value.word;
    }
    for (const KnobValue& value : knob.values) {
      if (value.worth == Worth::wrong) defects.push_back({std::string(knob.key), std::string(value.word), right});
    }
  }
  return defects;
}

Profile with_knob(Profile profile, const std::string& key, const std::string& word) {
  for (const Knob& knob : knobs()) {
    for (std::size_t i = 0; knob.key == key && i < knob.values.size(); ++i) {
      if (knob.values[i].word != word) continue;
      knob.set(profile, i);
      return profile;
    }
  }
  throw BadInput("no knob " + key + " with a value " + word);
}

Profile exemplary_profile() { return profile_named("exemplary"); }

std::vector<CatalogueCell> catalogue_cells(const std::vector<std::string>& backends) {
  const std::string directory = scenario::library_directory();
  std::vector<scenario::Scenario> questions;
  for (const std::string& name : scenario::names_in(directory)) {
    for (auto& each : scenario::read_scenarios(directory + "/" + name + ".toml", run::vocabulary())) {
      if (each.in_matrix) questions.push_back(std::move(each));
    }
  }
  std::stable_sort(questions.begin(), questions.end(), [](const auto& left, const auto& right) {
    return left.profiles.size() > right.profiles.size();
  });
  std::vector<CatalogueCell> cells;
  for (const auto& question : questions) add_cells(question, backends, &cells);
  return cells;
}

run::Cell with_knob(run::Cell cell, const std::string& knob, const std::string& word) {
  auto& model = std::get<ModelSupervisor>(cell.one.subject);
  model.profile = with_knob(model.profile, knob, word);
  // The time for a teardown is what the profile declares, and knobs have a say in it.
  const Profile base = profile_named(model.profile.name);
  const scenario::Scenario question = scenario::scenario_of(cell.one, base);
  cell.one = run::make_case(question, base, model.backend, cell.one.seed);
  return cell;
}

Case canary() {
  scenario::Scenario question;
  question.name = "canary";
  question.question = "The task ends and its helper does not: is it orphaned?";
  question.tree.role = "task-runner";
  question.tree.exits_after = Nanos{};
  question.tree.children.emplace_back().role = "helper";
  question.knobs = {{"signal_scope", "task-process"}};
  return run::make_case(question, exemplary_profile(), "posix-spawn", 1);
}

std::vector<SeedDefect> seed_defects() {
  const auto bare_fork = [] { return space_over("exemplary", {"fork"}, true); };  // with what no policy survives
  return {
      {"heartbeat 409 leaves an orphan", "apache/airflow#65505", space_over("airflow-3.2.0", {}, false), "no-orphans"},
      {"a wait on the closed epoll", "apache/airflow#65505", space_over("airflow-3.2.0", {}, false), "selector-intact"},
      {"a forked child crashes in a runtime", "apache/airflow#64874", bare_fork(), "no-crash-at-start"},
      {"workers that crash are forked for ever", "gunicorn#3021", space_over("gunicorn-prefork", {}, false), "no-crash-loop"},
      {"a forked child hangs on a lock", "goodboy/tractor#463", bare_fork(), "no-stuck-process"},
      {"a capture that nobody drains", "goodboy/tractor#463", space_over("exemplary-never-drains", {}, false), "no-stuck-process"},
      {"an orphan that ignores SIGINT", "goodboy/tractor#463", space_over("exemplary", {}, true), "orphan-ends"},
      {"children that keep the listener", "goodboy/tractor#463", space_over("exemplary-without-scrub", {}, false),
       "no-inherited-descriptors"},
  };
}

}  // namespace forkproof::fuzz
