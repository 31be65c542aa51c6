#include "repro/options.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <thread>
#include <tuple>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/observe/ways/way.h"
#include "harness/run/identity.h"
#include "harness/run/shard.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "repro/common.h"
#include "repro/progress.h"
#include "repro/values.h"

namespace forkproof {
namespace {

constexpr std::uint64_t most_runs = 10'000'000;  // of all cells together: days, and a slip of the hand

std::optional<arena::Tier> chosen_tier(const std::string& word) {
  if (word.empty()) return std::nullopt;
  const auto tier = arena::tier_from(word);
  if (!tier) throw BadInput("--arena " + word + ": unknown; one of: sealed, user-namespace, subreaper");
  return tier;
}

std::string way_names() {
  std::string names;
  for (const observe::Way& way : observe::ways()) names += (names.empty() ? "" : ", ") + std::string(way.key);
  return names;
}

void check_way(const std::string& word) {
  if (word == "auto" || word == "none" || observe::find_way(word) != nullptr) return;
  throw BadInput(fmt::format("--observe {}: unknown; one of: auto, {}, none", word, way_names()));
}

/// The wardens hold a pidfd for each node, and we a few for each arena. Raised only where needed, since subjects
/// inherit the limit.
void make_room_for_descriptors(std::uint64_t needed) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  if (limit.rlim_max < needed) {
    throw BadInput(fmt::format("RLIMIT_NOFILE is {} and this needs {}: raise it (ulimit -n {})", limit.rlim_max,
                               needed, needed));
  }
  limit.rlim_cur = needed;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void describe(CLI::App& app, Options& options) {
  app.get_formatter()->column_width(28);
  app.add_option("--profile", options.profiles, "only these supervisor profiles")->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--backend", options.backends, "only these spawn backends")->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  add_whole(app, "--runs", options.run.runs, 1, 1'000'000, "runs of each cell (1)")->type_name("N");
  add_whole(app, "--jobs", options.run.jobs, 1, most_jobs, "arenas open at once (one a processor)")->type_name("N");
  app.add_option("--shard", options.shard, "only cell I of each N, from 1 (else from the\nenvironment: see below)")->type_name("I/N")->check(not_empty());
  add_whole(app, "--seed", options.seed, 0, most_seed, "of the cases (the scenario's own, or 1)")->type_name("S");
  app.add_option("--schedule", options.schedule, "who goes first: random:SEED, pct:SEED:D or letters")->type_name("S")->check(not_empty());
  add_number(app, "--time-scale", options.time_scale, 0.0001, 100, "not the profile's: 1 runs the original seconds")
      ->type_name("X");
  describe(app, options.reporting);
  app.add_option("--keep", options.run.keep, "keep each run's history below this folder")
      ->type_name("DIR")->check(not_empty());
  app.add_option("--observe", options.run.observe, "how a command's processes are seen: auto,\n" + way_names() + " or none (auto)")
      ->type_name("WAY")->check(not_empty());
  app.add_option("--share", options.shares, "a path below /tmp, /var/tmp or /dev/shm (or one of\nthem) that is the machine's for a command, too")
      ->type_name("PATH")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--arena", options.arena, "start lower on the ladder: sealed,\nuser-namespace or subreaper")
      ->type_name("TIER")->check(not_empty());
  app.add_flag("-v,--verbose", options.verbose, "say more on standard error");
}

run::Choice choice_of(const Options& options) {
  run::Choice choice{split_names("--profile", options.profiles), split_names("--backend", options.backends), {}, options.seed};
  if (options.time_scale > 0) choice.time_scale = options.time_scale;
  choice.schedule = options.schedule;
  choice.shares = shared_paths(options.shares);
  run::check_names(choice);
  return choice;
}

std::vector<run::Cell> cells_of(const std::string& asked, const run::Choice& choice) {
  if (!choice.shares.empty()) throw BadInput("--share is for a command: the model supervisor writes no files");
  const scenario::Named named = scenario::find_scenario(asked);
  std::vector<run::Cell> cells;
  for (const auto& question : scenario::read_scenarios(named.path, run::vocabulary(), named.variant)) {
    if (question.for_commands) {
      throw BadInput(fmt::format("{} asks about a command: repro targets {}, or repro {} -- CMD", asked, asked, asked));
    }
    for (run::Cell& cell : run::cross(question, choice)) {
      cell.asked = asked;
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

void refuse_doubles(const std::vector<run::Cell>& cells) {
  std::map<std::tuple<std::string, std::string, std::string>, const run::Cell*> seen;
  for (const run::Cell& cell : cells) {
    const auto* command = std::get_if<Command>(&cell.one.subject);
    const std::string subject = command != nullptr ? command->target : cell.one.profile_name();
    const auto [known, is_new] = seen.try_emplace({cell.one.scenario, subject, cell.one.backend_name()}, &cell);
    if (is_new) continue;
    const std::string by = known->second->asked == cell.asked ? "by " + cell.asked : fmt::format("by {} and by {}", known->second->asked, cell.asked);
    const std::string who = cell.one.backend_name().empty() ? subject : subject + " / " + cell.one.backend_name();
    throw BadInput(fmt::format("{}: {} is there twice, {}: leave one out, or rename it", cell.one.scenario, who, by));
  }
}

void announce(const Shard& shard) {
  if (shard.from.empty() || shard.from == "--shard") return;
  complain(fmt::format("shard {}/{}, by {}; --shard 1/1 runs all of it", shard.index, shard.count, shard.from));
  // Who set GoogleTest's variables may want to know whether they are heeded.
  const char* status_file = std::getenv("GTEST_SHARD_STATUS_FILE");
  if (shard.from.starts_with("GTEST_") && status_file != nullptr) Output(status_file, "GTEST_SHARD_STATUS_FILE").write("");
}

int run_and_report(const Options& options, std::vector<run::Cell> cells, bool matrix) {
  if (options.verbose) spdlog::set_level(spdlog::level::debug);
  const auto tier = chosen_tier(options.arena);
  check_way(options.run.observe);
  refuse_doubles(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i].place = i;
  const Plan plan{run::plan_id(cells, options.run.runs), cells.size()};
  const Shard shard = run::read_shard(options.shard, run::own_environment());
  cells = run::part_of(std::move(cells), shard);
  if (cells.size() * options.run.runs > most_runs) {
    throw BadInput(fmt::format("{} cells x {} runs: more than {} runs", cells.size(), options.run.runs, most_runs));
  }
  run::RunOptions how = options.run;
  if (how.jobs == 0) how.jobs = std::max(1U, std::thread::hardware_concurrency());
  how.exhibit_what_is_expected = !matrix;
  make_room_for_descriptors(run::descriptors_needed(cells) + 8 * how.jobs);
  const Documents documents(options.reporting);
  announce(shard);
  const arena::Provision provision = arena::provide(tier);
  spdlog::debug("arena {}, cgroup {}, {} cells of {} runs, {} at a time", arena::name(provision.tier),
                provision.cgroup_parent.empty() ? "none" : provision.cgroup_parent, cells.size(), how.runs, how.jobs);
  ProgressLine progress;
  RunSummary summary = run::run_all(cells, how, provision, std::ref(progress));
  progress.clear();
  summary.matrix = matrix;
  summary.run = run::fresh_run_id(), summary.plan = plan, summary.shard = shard;
  if (options.time_scale > 0) summary.time_scale = options.time_scale;
  summary.schedule = options.schedule;
  if (!options.arena.empty()) summary.arena_asked = options.arena;
  if (options.run.observe != run::RunOptions{}.observe) summary.observe = options.run.observe;
  documents.write(summary);
  return exit_status_of(summary);
}

}  // namespace forkproof
