// repro SCENARIO: one question, crossed with profiles and backends.
#include "harness/core/error.h"
#include "repro/common.h"
#include "repro/options.h"

namespace forkproof {
namespace {

constexpr char about[] =
    "repro starts a task tree under a process supervisor, brings on one fault by\n"
    "construction, and says whether its promises held: nobody orphaned, no closed\n"
    "selector used, teardown bounded, and more.\n";

constexpr char more[] =
    "\nOther verbs:\n"
    "  repro matrix        every scenario, crossed: the CI job\n"
    "  repro list [KIND]   scenarios, profiles, backends, faults, oracles, ...\n"
    "  repro contract      what a child of each spawn backend starts with, measured\n"
    "  repro doctor        what this machine gives, and what that costs in certainty\n"
    "  repro judge DIR     judges histories that --keep has kept\n"
    "\nExamples:\n"
    "  repro heartbeat-409\n"
    "  repro heartbeat-409 --profile airflow-3.2.0,exemplary --backend fork --runs 200\n"
    "  repro my-question.toml --format json --output result.json\n"
    "\nExit status: 0 as expected, 1 not as expected, 2 could not tell,\n"
    "64 usage or bad input, 70 the harness itself failed.\n";

int act(const Options& options) {
  if (options.scenarios.empty()) throw BadInput("which scenario? `repro list` shows them, `repro --help` the rest");
  return run_and_report(options, cells_of(options.scenarios.front(), choice_of(options)), false);
}

}  // namespace

int run_verb(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    complain("a command after -- is not supported yet: only the model supervisor's profiles are");
    return bad_input;
  }
  Options options;
  options.run.jobs = 0;
  CLI::App app(about, "repro");
  app.footer(more);
  app.add_option("SCENARIO", options.scenarios, "a name (repro list), NAME/VARIANT, or a .toml file")
      ->type_name("")->expected(0, 1);
  describe(app, options);
  return run_verb_with(app, argc, argv, [&options] { return act(options); });
}

}  // namespace forkproof
