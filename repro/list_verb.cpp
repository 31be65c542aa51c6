// repro list [KIND]: the words that scenarios and options may use, from the same tables as the build.
#include <fmt/format.h>

#include "harness/core/crash_lines.h"
#include "harness/core/error.h"
#include "harness/core/profile.h"
#include "harness/faults/fault.h"
#include "harness/faults/locks/lock.h"
#include "harness/observe/ways/way.h"
#include "harness/oracles/oracle.h"
#include "harness/run/plan.h"
#include "harness/scenario/keys.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/target_file.h"
#include "harness/spawn/backend.h"
#include "reports/layout.h"
#include "reports/report.h"
#include "repro/common.h"

namespace forkproof {
namespace {

/// What the page is made of. "name   about", the about wrapped to 80 columns under itself.
class Page {
 public:
  void row(std::string_view name, std::string_view about, std::size_t indent = 2) {
    const std::string head = fmt::format("{:{}}{:<{}}", "", indent, name, column - indent);
    if (about.empty()) line(head.substr(0, head.find_last_not_of(' ') + 1));
    else if (head.size() == column && head.back() == ' ') text_ += reports::wrapped(head, about, column);
    else line(head), text_ += reports::wrapped(std::string(column, ' '), about);
  }
  void line(std::string_view text) { text_ += std::string(text) + "\n"; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t column = 26;
  std::string text_;
};

void list_scenarios(Page& page) {
  const std::string directory = scenario::library_directory();
  for (const std::string& name : scenario::names_in(directory)) {
    page.row(name, scenario::read_scenario(directory + "/" + name + ".toml", run::vocabulary()).question);
  }
}

void list_targets(Page& page) {
  const std::string directory = scenario::library_directory() + "/targets";
  for (const std::string& name : scenario::names_in(directory)) {
    const scenario::Target target = scenario::read_target(directory, name, run::vocabulary());
    const std::string missing = scenario::missing_for(target);
    page.row(name, target.about + (missing.empty() ? "" : " [" + missing + "]"));
  }
}

void list_profiles(Page& page) {
  const std::string directory = scenario::library_directory() + "/profiles";
  for (const std::string& name : scenario::names_in(directory)) {
    page.row(name, scenario::read_profile(directory, name).about);
  }
}

void list_backends(Page& page) {
  for (const auto& row : spawn::backends()) page.row(row.key, row.about);
  for (const auto& row : spawn::reserved_backends()) {
    page.row(row.key, fmt::format("reserved, use {}: {}", row.instead, row.because));
  }
}

void list_faults(Page& page) {
  for (const auto& row : faults::faults()) {
    page.row(row.key, row.about);
    for (const Setting& setting : row.settings) {
      page.row(setting.key, std::string(setting.about) + (setting.required ? " (required)" : ""), 4);
    }
  }
  page.line("");
  page.row("delay_s", "of every fault of a command: seconds between the arena's rest and the strike, for one that never rests");
  page.row("settle_s", "of a scenario for commands: seconds for which the arena has to stay at rest before any fault strikes");
}

void list_locks(Page& page) {
  for (const auto& row : faults::locks()) page.row(row.key, row.about);
}

void list_sigint_setups(Page& page) {
  for (const SigintRow& row : sigint_setups()) page.row(row.word, row.about);
}

void list_oracles(Page& page) {
  for (const auto& row : oracles::oracles()) page.row(row.key, row.promise);
}

void list_knobs(Page& page) {
  for (const Knob& knob : knobs()) {
    page.row(knob.key, knob.about);
    for (const KnobValue& value : knob.values) {
      const char* worth = value.worth == Worth::right ? "right" : value.worth == Worth::wrong ? "wrong" : "shape";
      page.row(value.word, fmt::format("{}: {} [{}]", worth, value.about, value.source), 4);
    }
  }
}

void list_sync_points(Page& page) {
  for (const auto& word : run::vocabulary().sync_points) page.line("  " + word.point);
}

void list_formats(Page& page) {
  for (const auto& row : reports::reports()) page.row(row.key, row.about);
}

void list_ways(Page& page) {
  for (const observe::Way& way : observe::ways()) {
    page.row(way.key, fmt::format("sees {}; misses {}", way.sees, way.misses));
  }
}

/// What the rig can tell as a crash, and what it has been tried with.
void list_crash_lines(Page& page) {
  for (const CrashLineRow& row : crash_lines()) {
    page.row(row.key, fmt::format("{} [{}; {}]", row.opening, end_words(row), row.tried.empty() ? "not tried" : "tried with " + std::string(row.tried)));
  }
}

/// Every key that scenario, profile and target files may have. The readers consult the same table.
void list_keys(Page& page) {
  for (const scenario::KeyTable& table : scenario::key_tables()) {
    page.row(table.name, table.about);
    for (const scenario::KeyRow& row : scenario::key_rows()) {
      if (row.table != table.name) continue;
      page.row(row.key, fmt::format("{} [{}; where nothing is said: {}]", row.about, row.type, row.otherwise), 4);
    }
  }
}

struct Kind {
  const char* name;
  void (*add)(Page&);
};
constexpr Kind kinds[] = {{"scenarios", list_scenarios}, {"profiles", list_profiles}, {"targets", list_targets}, {"backends", list_backends},
                          {"faults", list_faults},       {"locks", list_locks},       {"oracles", list_oracles},
                          {"knobs", list_knobs},         {"sigint-setups", list_sigint_setups},
                          {"sync-points", list_sync_points}, {"formats", list_formats}, {"ways", list_ways},
                          {"crash-lines", list_crash_lines}, {"keys", list_keys}};

int list_act(const std::string& wanted) {
  std::vector<std::string> known;
  Page page;
  for (const Kind& kind : kinds) {
    known.emplace_back(kind.name);
    if (!wanted.empty() && wanted != kind.name) continue;
    page.line(kind.name);
    kind.add(page);
    if (wanted.empty()) page.line("");
  }
  if (!page.text().empty()) {
    Output("").write(reports::printable(page.text()));  // a scenario may be anybody's
    return as_expected;
  }
  const std::string near = nearest(wanted, known);
  throw BadInput("list " + wanted + ": no such kind" +
                 (near.empty() ? fmt::format("; one of: {}", fmt::join(known, ", ")) : " (did you mean '" + near + "'?)"));
}

}  // namespace

int list_verb(int argc, char** argv) {
  std::string kind;
  CLI::App app("Lists what scenarios and options may name: scenarios, profiles, targets,\n"
               "backends, faults, locks, oracles, knobs, sigint-setups, sync-points, formats,\n"
               "ways (to see processes), crash-lines, keys (of scenario, profile and target\n"
               "files); without a KIND, all of them.",
               "repro list");
  app.add_option("KIND", kind, "one kind only")->type_name("");
  return run_verb_with(app, argc, argv, [&kind] { return list_act(kind); });
}

}  // namespace forkproof
