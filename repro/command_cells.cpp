#include "repro/command_cells.h"

#include <cstdlib>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/target_file.h"

namespace forkproof {
namespace {

/// Programs that come with repro are found too, behind all others.
void find_what_comes_with_repro() {
  std::error_code ignored;
  const std::string beside = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
  const char* path = std::getenv("PATH");
  const std::string before = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  if ((":" + before + ":").find(":" + beside + ":") != std::string::npos) return;
  ::setenv("PATH", (before + ":" + beside).c_str(), 1);
}

std::vector<scenario::Target> targets_of(const std::vector<std::string>& names) {
  const std::string directory = scenario::library_directory() + "/targets";
  std::vector<scenario::Target> targets;
  for (const std::string& name : names) targets.push_back(scenario::read_target(directory, name, run::vocabulary()));
  return targets;
}

}  // namespace

void refuse_what_is_the_models(const Options& options) {
  const char* option = !options.profiles.empty() ? "--profile" : !options.backends.empty() ? "--backend" : nullptr;
  if (options.time_scale > 0) option = "--time-scale";
  if (option != nullptr) throw BadInput(std::string(option) + " is the model supervisor's: leave it out where a command is asked");
}

std::vector<run::Cell> command_cells(const std::string& asked, const AskedCommand& subject, const run::Choice& choice) {
  const scenario::Named named = scenario::find_scenario(asked);
  find_what_comes_with_repro();
  const auto targets = targets_of(subject.targets);
  std::vector<run::Cell> cells;
  const auto add = [&](run::Cell cell) {
    cell.asked = asked;
    cells.push_back(std::move(cell));
  };
  for (const auto& question : scenario::read_scenarios(named.path, run::vocabulary(), named.variant)) {
    if (subject.command) add(run::cell_of(question, *subject.command, choice));
    for (const scenario::Target& target : targets) {
      run::Cell cell = run::cell_of(question, target.command, choice);
      cell.expected = scenario::known_breaks(target, cell.one.scenario);
      cell.missing = scenario::missing_for(target);
      if (cell.missing.empty()) cell.missing = scenario::why_not_asked(target, cell.one.scenario);
      add(std::move(cell));
    }
  }
  return cells;
}

}  // namespace forkproof
