// repro SCENARIO: one question, crossed with profiles and backends.
#include <optional>

#include "harness/core/error.h"
#include "repro/command_cells.h"
#include "repro/common.h"
#include "repro/emit.h"
#include "repro/options.h"
#include "repro/values.h"

namespace forkproof {
namespace {

constexpr char run_about[] =
    "repro starts a task tree under a process supervisor, brings on one fault by\n"
    "construction, and says whether its promises held: nobody orphaned, no closed\n"
    "selector used, teardown bounded, and more.\n";

constexpr char run_more[] =
    "\nOther verbs:\n"
    "  repro matrix        every scenario, crossed: the CI job\n"
    "  repro fuzz          invents cases, and makes small what breaks\n"
    "  repro prove         plants defects, and shows that each is caught\n"
    "  repro list [KIND]   scenarios, profiles, backends, faults, oracles, ...\n"
    "  repro guard -- CMD  any test command, which must leave nobody behind\n"
    "  repro contract      what a child of each spawn backend starts with, measured\n"
    "  repro order         one cell in many orders of its processes: which break it\n"
    "  repro doctor        what this machine gives, and what that costs in certainty\n"
    "  repro judge DIR     judges histories that --keep has kept\n"
    "  repro merge FILE... folds results of many machines (--format json) into one\n"
    "  repro targets       real supervisors by faults: who leaves what behind\n"
    "\nExamples:\n"
    "  repro heartbeat-409\n"
    "  repro heartbeat-409 --profile airflow-3.2.0 --backend fork --runs 200\n"
    "  repro my-question.toml --format json --output result.json\n"
    "  repro term-supervisor -- timeout 60 {task}\n"
    "  repro term-supervisor --target tini,timeout\n"
    "\nBehind -- stands a supervisor of your own. {task} is the tree to run: as a word,\n"
    "or inside one as a shell line; without it, it is appended. Also $REPRO_TASK,\n"
    "$REPRO_HEARTBEAT_URL ({heartbeat}), and {dir}, a fresh directory.\n"
    "Its /tmp, /var/tmp and /dev/shm are the arena's own, and empty but for what its\n"
    "words, environment and folder name there: such a folder stays the machine's, a\n"
    "file directly in /tmp is a copy. --share /tmp gives it the machine's.\n"
    "\nShards: without --shard, what an engine has set counts: GTEST_SHARD_INDEX and\n"
    "GTEST_TOTAL_SHARDS, SLURM_ARRAY_TASK_ID and _COUNT, JOB_COMPLETION_INDEX and\n"
    "JOB_COMPLETIONS (the latter is for your Job to set), CI_NODE_INDEX and\n"
    "CI_NODE_TOTAL. It is said on standard error; --shard 1/1 runs all of it.\n"
    "\nExit status: 0 as expected, 1 not as expected, 2 could not tell (also where\n"
    "every cell was skipped), 64 usage or bad input, 70 the harness itself failed.\n";

int act(const Options& options, const AskedCommand& subject, const std::string& emitted) {
  if (options.scenarios.empty()) throw BadInput("which scenario? `repro list` shows them, `repro --help` the rest");
  const std::string& asked = options.scenarios.front();
  if (subject.command || !subject.targets.empty()) {
    if (!emitted.empty()) throw BadInput("--emit cpp: a command is a program already");
    refuse_what_is_the_models(options);
    if (subject.command && subject.command->argv.empty()) throw BadInput("which command? nothing stands behind --");
    if (subject.command && !subject.targets.empty()) throw BadInput("--target and a command behind -- are two subjects: one of them");
    if (subject.command) run::check_program(subject.command->argv.front());
    return run_and_report(options, command_cells(asked, subject, choice_of(options)), false);
  }
  if (!emitted.empty()) return emit(emitted, cells_of(asked, choice_of(options)), options.reporting.output);
  return run_and_report(options, cells_of(asked, choice_of(options)), false);
}

/// Cuts the words behind `--` off.
std::optional<Command> command_behind_dashes(int* argc, char** argv) {
  for (int i = 1; i < *argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    const Command command{{argv + i + 1, argv + *argc}};
    *argc = i;
    return command;
  }
  return std::nullopt;
}

}  // namespace

int run_verb(int argc, char** argv) {
  AskedCommand subject;
  subject.command = command_behind_dashes(&argc, argv);
  Options options;
  options.run.jobs = 0;
  CLI::App app(run_about, "repro");
  app.footer(run_more);
  app.add_option("SCENARIO", options.scenarios, "a name (repro list), NAME/VARIANT, or a .toml file")
      ->type_name("")->expected(0, 1);
  app.add_option("--target", subject.targets, "real supervisors by name (repro list targets)")
      ->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  std::string emitted;
  app.add_option("--emit", emitted, "cpp or cpp=PROMISE: runs nothing, writes the one\ncell as a C++ program without the rig, and tries it")
      ->type_name("F")->check(not_empty());
  describe(app, options);
  return run_verb_with(app, argc, argv, [&] {
    subject.targets = split_names("--target", subject.targets);
    if (!emitted.empty()) {
      refuse_without_effect(app, {"--runs", "--jobs", "--shard", "--format", "--also", "--keep", "--observe", "--arena"}, "--emit");
    }
    return act(options, subject, emitted);
  });
}

}  // namespace forkproof
