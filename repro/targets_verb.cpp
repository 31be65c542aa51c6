// repro targets: real supervisors by faults, what each leaves behind: the league table.
#include <algorithm>
#include <thread>

#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "repro/command_cells.h"
#include "repro/common.h"
#include "repro/options.h"

namespace forkproof {
namespace {

constexpr char targets_about[] =
    "Puts every real supervisor of scenarios/targets/ under every fault that can be\n"
    "brought on from outside, and prints the league table: what each leaves behind,\n"
    "how long it took, and its exit status. Eight arenas a processor are open at once\n"
    "(--jobs), since most of them wait.\n";

constexpr char targets_more[] =
    "\nWhat is not installed is skipped, with the line that installs it; ci/targets\n"
    "installs them all. What a target is known not to keep stands in its file, with\n"
    "the reason, and is expected; \"news\" is what nobody wrote down yet.\n"
    "\nExamples:\n"
    "  repro targets\n"
    "  repro targets term-supervisor --target tini,tini-group,dumb-init --runs 20\n"
    "\nExit status: as for repro SCENARIO (repro --help).\n";

/// The questions that are asked of commands only.
std::vector<std::string> questions_for_commands() {
  const std::string directory = scenario::library_directory();
  std::vector<std::string> names;
  for (const std::string& name : scenario::names_in(directory)) {
    if (scenario::read_scenario(directory + "/" + name + ".toml", run::vocabulary()).for_commands) names.push_back(name);
  }
  return names;
}

std::vector<run::Cell> all_cells(const Options& options, const AskedCommand& subject) {
  const std::vector<std::string> questions = options.scenarios.empty() ? questions_for_commands() : options.scenarios;
  std::vector<run::Cell> cells;
  for (const std::string& question : questions) {
    for (run::Cell& cell : command_cells(question, subject, choice_of(options))) cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace

int targets_verb(int argc, char** argv) {
  Options options;
  // Real supervisors take their time: most arenas wait for seconds to pass, so there may be many of them.
  options.run.jobs = 8 * std::max(1U, std::thread::hardware_concurrency());
  options.reporting.format = "league";
  AskedCommand subject;
  CLI::App app(targets_about, "repro targets");
  app.footer(targets_more);
  app.add_option("SCENARIO", options.scenarios, "questions (all that are asked of commands)")->type_name("...");
  app.add_option("--target", subject.targets, "only these (repro list targets)")
      ->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  describe(app, options);
  return run_verb_with(app, argc, argv, [&] {
    refuse_what_is_the_models(options);
    subject.targets = split_names("--target", subject.targets);
    if (subject.targets.empty()) subject.targets = scenario::names_in(scenario::library_directory() + "/targets");
    if (subject.targets.empty()) throw BadInput("there are no targets in " + scenario::library_directory() + "/targets");
    return run_and_report(options, all_cells(options, subject), true);
  });
}

}  // namespace forkproof
