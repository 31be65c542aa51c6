// repro matrix [SCENARIO ...]: every question, crossed with its profiles and backends: the CI job.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/core/error.h"
#include "harness/run/jobs.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "repro/common.h"
#include "repro/options.h"
#include "repro/values.h"

namespace forkproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr char matrix_about[] =
    "Runs every scenario of the library (or those named), with all its variants,\n"
    "under all its profiles and spawn backends, and prints one table: the CI job.\n";

constexpr char matrix_more[] =
    "\nExamples:\n"
    "  repro matrix\n"
    "  repro matrix heartbeat-409 fork-after-thread/std-mutex --backend fork\n"
    "  repro matrix --shard 1/4 --format github --also junit=matrix.xml\n"
    "\nShards, also from the environment, and exit status: as for repro SCENARIO\n"
    "(repro --help).\n";

constexpr std::size_t most_planned = 256;  // GitHub's bound for one matrix

/// All of the library but what says `in_matrix = false`; that runs only where it is named.
std::vector<std::string> library_scenarios() {
  const std::string directory = scenario::library_directory();
  std::vector<std::string> names;
  for (const std::string& name : scenario::names_in(directory)) {
    if (scenario::read_scenario(directory + "/" + name + ".toml", run::vocabulary()).in_matrix) names.push_back(name);
  }
  return names;
}

std::vector<run::Cell> chosen_cells(const Options& options) {
  const auto names = options.scenarios.empty() ? library_scenarios() : options.scenarios;
  run::Choice choice = choice_of(options);
  choice.only_own = true;
  std::vector<run::Cell> cells;
  for (const std::string& name : names) std::ranges::move(cells_of(name, choice), std::back_inserter(cells));
  run::KnobFilter knobs;
  for (const std::string& each : options.knobs) run::add_knob(each, &knobs);
  std::erase_if(cells, [&](const run::Cell& cell) { return !run::has_knobs(cell, knobs); });
  refuse_doubles(cells);
  if (cells.empty()) throw BadInput("nothing to run: no scenario here has a cell of that profile, backend and knob");
  return cells;
}

/// What `repro matrix` needs to be told to run the job's cells and no others.
std::string arguments(const run::Job& job, const Options& options) {
  std::string all = fmt::format("{}", fmt::join(options.scenarios, " "));
  const auto add = [&all](const std::string& option, const std::string& value) {
    if (!value.empty()) all += (all.empty() ? "" : " ") + option + " " + value;
  };
  add("--profile", fmt::format("{}", fmt::join(options.profiles, ",")));
  add("--backend", fmt::format("{}", fmt::join(job.backends, ",")));
  for (const std::string& each : options.knobs) {
    // Values of one knob add up, and the job's are fewer.
    if (job.captures.empty() || !each.starts_with("capture=")) add("--knob", each);
  }
  if (!job.captures.empty()) add("--knob", fmt::format("capture={}", fmt::join(job.captures, ",")));
  if (job.shards > 1) add("--shard", fmt::format("{}/{}", job.shard, job.shards));
  return all;
}

/// The job matrix in one line, as `strategy: matrix:` wants it; `args` is for `ci/matrix`.
int print_plan(const Options& options, const std::string& plan) {
  if (plan != "github") throw BadInput("--plan " + plan + ": unknown; one of: github");
  for (const std::string& name : options.scenarios) {
    if (name.find_first_of(" \t\n'\"\\$`") != std::string::npos) throw BadInput("--plan: no shell would take apart '" + name + "'");
  }
  if (!options.shard.empty()) throw BadInput("--plan: the plan itself makes the shards; leave --shard out");
  const std::vector<run::Job> jobs = run::jobs_for(chosen_cells(options));
  if (jobs.size() > most_planned) throw BadInput(fmt::format("--plan: {} jobs, and GitHub takes {}", jobs.size(), most_planned));
  Json document;
  document["include"] = Json::array();
  for (const run::Job& job : jobs) {
    Json entry;
    entry["name"] = job.name;
    entry["scenarios"] = fmt::format("{}", fmt::join(job.scenarios, " "));
    entry["backend"] = fmt::format("{}", fmt::join(job.backends, ","));
    if (!job.captures.empty()) entry["capture"] = fmt::format("{}", fmt::join(job.captures, ","));
    entry["shard"] = fmt::format("{}/{}", job.shard, job.shards);
    entry["cells"] = job.cells;
    entry["args"] = arguments(job, options);
    document["include"].push_back(std::move(entry));
  }
  Output(options.reporting.output).write(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  return as_expected;
}

}  // namespace

int matrix_verb(int argc, char** argv) {
  Options options;
  options.run.jobs = 0;
  std::string plan;
  CLI::App app(matrix_about, "repro matrix");
  app.footer(matrix_more);
  app.add_option("SCENARIO", options.scenarios, "names (repro list), NAME/VARIANT, or .toml files")->type_name("...");
  describe(app, options);
  app.add_option("--knob", options.knobs, "only subjects with this policy (repro list knobs)")
      ->type_name("K=V,W")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--plan", plan, "runs nothing: prints the jobs that share the work,\nas a CI system reads them: github")
      ->type_name("CI")->check(not_empty());
  return run_verb_with(app, argc, argv, [&] {
    if (!plan.empty()) {
      refuse_without_effect(app, {"--runs", "--jobs", "--seed", "--schedule", "--time-scale", "--format", "--also", "--keep", "--observe", "--arena"},
                            "--plan");
    }
    return plan.empty() ? run_and_report(options, chosen_cells(options), true) : print_plan(options, plan);
  });
}

}  // namespace forkproof
