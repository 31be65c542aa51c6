// repro list [KIND]: the words that scenarios and options may use, from the same tables as the build.
#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/profile.h"
#include "harness/faults/fault.h"
#include "harness/faults/locks/lock.h"
#include "harness/observe/ways/way.h"
#include "harness/oracles/oracle.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/target_file.h"
#include "harness/spawn/backend.h"
#include "reports/report.h"
#include "repro/common.h"

namespace forkproof {
namespace {

/// "name   about", the about wrapped to 80 columns under itself.
void print_row(std::string_view name, std::string_view about, std::size_t indent = 2, std::size_t column = 26) {
  std::string line = fmt::format("{:{}}{:<{}}", "", indent, name, column - indent);
  if (line.size() > column || line.back() != ' ') {
    fmt::print("{}\n", line);
    line.assign(column, ' ');
  }
  std::size_t width = line.size();
  while (!about.empty()) {
    const std::size_t end = about.find(' ');
    const std::string_view word = about.substr(0, end);
    if (width + word.size() > 79 && width > column) {
      while (line.back() == ' ') line.pop_back();
      fmt::print("{}\n", line);
      line.assign(column, ' ');
      width = column;
    }
    line += std::string(word) + " ";
    width = line.size();
    about.remove_prefix(end == std::string_view::npos ? about.size() : end + 1);
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  fmt::print("{}\n", line);
}

void list_scenarios() {
  const std::string directory = scenario::library_directory();
  for (const std::string& name : scenario::names_in(directory)) {
    print_row(name, scenario::read_scenario(directory + "/" + name + ".toml", run::vocabulary()).question);
  }
}

void list_targets() {
  const std::string directory = scenario::library_directory() + "/targets";
  for (const std::string& name : scenario::names_in(directory)) {
    const scenario::Target target = scenario::read_target(directory, name, run::vocabulary());
    const std::string missing = scenario::missing_for(target);
    print_row(name, target.about + (missing.empty() ? "" : " [" + missing + "]"));
  }
}

void list_profiles() {
  const std::string directory = scenario::library_directory() + "/profiles";
  for (const std::string& name : scenario::names_in(directory)) {
    print_row(name, scenario::read_profile(directory, name).about);
  }
}

void list_backends() {
  for (const auto& row : spawn::backends()) print_row(row.key, row.about);
  for (const auto& row : spawn::reserved_backends()) {
    print_row(row.key, fmt::format("reserved, use {}: {}", row.instead, row.because));
  }
}

void list_faults() {
  for (const auto& row : faults::faults()) {
    print_row(row.key, row.about);
    for (const Setting& setting : row.settings) {
      print_row(setting.key, std::string(setting.about) + (setting.required ? " (required)" : ""), 4);
    }
  }
}

void list_locks() {
  for (const auto& row : faults::locks()) print_row(row.key, row.about);
}

void list_sigint_setups() {
  for (const SigintRow& row : sigint_setups()) print_row(row.word, row.about);
}

void list_oracles() {
  for (const auto& row : oracles::oracles()) print_row(row.key, row.promise);
}

void list_knobs() {
  for (const Knob& knob : knobs()) {
    print_row(knob.key, knob.about);
    for (const KnobValue& value : knob.values) {
      const char* worth = value.worth == Worth::right ? "right" : value.worth == Worth::wrong ? "wrong" : "shape";
      print_row(value.word, fmt::format("{}: {} [{}]", worth, value.about, value.source), 4);
    }
  }
}

void list_sync_points() {
  for (const std::string& point : run::vocabulary().sync_points) fmt::print("  {}\n", point);
}

void list_formats() {
  for (const auto& row : reports::reports()) print_row(row.key, row.about);
}

void list_ways() {
  for (const observe::Way& way : observe::ways()) {
    print_row(way.key, fmt::format("sees {}; misses {}", way.sees, way.misses));
  }
}

struct Kind {
  const char* name;
  void (*print)();
};
constexpr Kind kinds[] = {{"scenarios", list_scenarios}, {"profiles", list_profiles}, {"targets", list_targets}, {"backends", list_backends},
                          {"faults", list_faults},       {"locks", list_locks},       {"oracles", list_oracles},
                          {"knobs", list_knobs},         {"sigint-setups", list_sigint_setups},
                          {"sync-points", list_sync_points}, {"formats", list_formats}, {"ways", list_ways}};

int act(const std::string& wanted) {
  std::vector<std::string> known;
  for (const Kind& kind : kinds) {
    known.emplace_back(kind.name);
    if (!wanted.empty() && wanted != kind.name) continue;
    fmt::print("{}\n", kind.name);
    kind.print();
    if (wanted.empty()) fmt::print("\n");
    if (wanted == kind.name) return as_expected;
  }
  if (wanted.empty()) return as_expected;
  const std::string near = nearest(wanted, known);
  throw BadInput("list " + wanted + ": no such kind" +
                 (near.empty() ? fmt::format("; one of: {}", fmt::join(known, ", ")) : " (did you mean '" + near + "'?)"));
}

}  // namespace

int list_verb(int argc, char** argv) {
  std::string kind;
  CLI::App app("Lists what scenarios and options may name: scenarios, profiles, targets, backends,\n"
               "faults, locks, oracles, knobs, sigint-setups, sync-points, formats, ways (to\n"
               "see processes); without a KIND, all of them.",
               "repro list");
  app.add_option("KIND", kind, "one kind only");
  return run_verb_with(app, argc, argv, [&kind] { return act(kind); });
}

}  // namespace forkproof
