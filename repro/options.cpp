#include "repro/options.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "reports/report.h"
#include "repro/common.h"
#include "repro/progress.h"

namespace forkproof {
namespace {

constexpr std::uint64_t most_shards = 10'000;
constexpr std::uint64_t most_runs = 10'000'000;  // of all cells together: days, and a slip of the hand

const reports::ReportRow& report_named(const std::string& option, const std::string& format) {
  if (const auto* row = reports::find_report(format)) return *row;
  std::vector<std::string> known;
  for (const auto& row : reports::reports()) known.emplace_back(row.key);
  throw BadInput(fmt::format("{} {}: unknown format; one of: {}", option, format, fmt::join(known, ", ")));
}

std::string formats() {
  std::string names;
  for (const auto& row : reports::reports()) names += (names.empty() ? "" : ", ") + std::string(row.key);
  return names;
}

std::optional<arena::Tier> chosen_tier(const std::string& word) {
  if (word.empty()) return std::nullopt;
  const auto tier = arena::tier_from(word);
  if (!tier) throw BadInput("--arena " + word + ": unknown; one of: sealed, user-namespace, subreaper");
  return tier;
}

/// A report and where it goes.
struct Document {
  const reports::ReportRow* report;
  std::unique_ptr<Output> output;
};

std::vector<Document> documents_of(const Options& options) {
  std::vector<Document> documents;
  documents.push_back({&report_named("--format", options.format), nullptr});
  for (const std::string& each : options.also) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals + 1 == each.size()) throw BadInput("--also " + each + ": wants FORMAT=FILE");
    documents.push_back({&report_named("--also", each.substr(0, equals)), nullptr});
  }
  // Files are only touched when all words are understood.
  documents.front().output = std::make_unique<Output>(options.output);
  for (std::size_t i = 0; i < options.also.size(); ++i) {
    documents[i + 1].output = std::make_unique<Output>(options.also[i].substr(options.also[i].find('=') + 1), "--also");
  }
  return documents;
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

int exit_status_of(const RunSummary& summary) {
  const CellOutcome worst = worst_outcome(summary);
  if (worst == CellOutcome::not_as_expected) return not_as_expected;
  if (worst == CellOutcome::unknown || summary.interrupted) return could_not_tell;
  return as_expected;
}

}  // namespace

void describe(CLI::App& app, Options& options) {
  app.get_formatter()->column_width(28);
  const auto range = [](auto least, auto most) { return CLI::Range(least, most).description(""); };
  app.add_option("--profile", options.profiles, "only these supervisor profiles")->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--backend", options.backends, "only these spawn backends")->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--runs", options.run.runs, "runs of each cell (1)")->type_name("N")->check(range(1, 1'000'000));
  app.add_option("--jobs", options.run.jobs, "arenas open at once (one a processor)")
      ->type_name("N")->check(range(1, 256));
  app.add_option("--shard", options.shard, "only cell I of each N, from 1")->type_name("I/N");
  app.add_option("--seed", options.seed, "of the cases (the scenario's own, or 1)")->type_name("S");
  app.add_option("--schedule", options.schedule, "who goes first: random:SEED, pct:SEED:D or letters")->type_name("S");
  app.add_option("--time-scale", options.time_scale, "not the profile's: 1 runs the original seconds")
      ->type_name("X")->check(range(0.0001, 100.0));
  app.add_option("--format", options.format, formats() + " (text)")
      ->type_name("F")->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--output", options.output, "a file instead of standard output")->type_name("FILE");
  app.add_option("--also", options.also, "a second report of the same runs")->type_name("F=FILE")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--keep", options.run.keep, "keep each run's history below this folder")->type_name("DIR");
  app.add_option("--arena", options.arena, "start lower on the ladder: sealed,\nuser-namespace or subreaper")
      ->type_name("TIER");
  app.add_flag("-v,--verbose", options.verbose, "say more on standard error");
}

run::Choice choice_of(const Options& options) {
  run::Choice choice{split_names(options.profiles), split_names(options.backends), {}, options.seed};
  if (options.time_scale > 0) choice.time_scale = options.time_scale;
  choice.schedule = options.schedule;
  run::check_names(choice);
  return choice;
}

std::vector<run::Cell> cells_of(const std::string& asked, const run::Choice& choice) {
  const scenario::Named named = scenario::find_scenario(asked);
  std::vector<run::Cell> cells;
  for (const auto& question : scenario::read_scenarios(named.path, run::vocabulary(), named.variant)) {
    for (run::Cell& cell : run::cross(question, choice)) {
      cell.asked = asked;
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

std::vector<run::Cell> shard_of(std::vector<run::Cell> cells, const std::string& shard) {
  if (shard.empty()) return cells;
  std::uint64_t index = 0, count = 0;
  const char* end = shard.data() + shard.size();
  const auto [slash, wrong_index] = std::from_chars(shard.data(), end, index);
  const bool has_count = wrong_index == std::errc{} && slash != end && *slash == '/';
  const auto [rest, wrong_count] = std::from_chars(has_count ? slash + 1 : end, end, count);
  if (!has_count || wrong_count != std::errc{} || rest != end || index < 1 || index > count || count > most_shards) {
    throw BadInput(fmt::format("--shard {}: wants I/N, with I from 1 to N and N at most {}", shard, most_shards));
  }
  std::vector<run::Cell> part;
  for (std::size_t i = index - 1; i < cells.size(); i += count) part.push_back(std::move(cells[i]));
  // A job that runs nothing must not be green.
  if (part.empty()) throw BadInput(fmt::format("--shard {}: there are only {} cells", shard, cells.size()));
  return part;
}

int run_and_report(const Options& options, std::vector<run::Cell> cells, bool matrix) {
  if (options.verbose) spdlog::set_level(spdlog::level::debug);
  const auto tier = chosen_tier(options.arena);
  cells = shard_of(std::move(cells), options.shard);
  if (cells.size() * options.run.runs > most_runs) {
    throw BadInput(fmt::format("{} cells x {} runs: more than {} runs", cells.size(), options.run.runs, most_runs));
  }
  run::RunOptions how = options.run;
  if (how.jobs == 0) how.jobs = std::max(1U, std::thread::hardware_concurrency());
  how.exhibit_what_is_expected = !matrix;
  make_room_for_descriptors(run::descriptors_needed(cells) + 8 * how.jobs);
  const std::vector<Document> documents = documents_of(options);
  const arena::Provision provision = arena::provide(tier);
  spdlog::debug("arena {}, cgroup {}, {} cells of {} runs, {} at a time", arena::name(provision.tier),
                provision.cgroup_parent.empty() ? "none" : provision.cgroup_parent, cells.size(), how.runs, how.jobs);
  ProgressLine progress;
  RunSummary summary = run::run_all(cells, how, provision, std::ref(progress));
  progress.clear();
  summary.matrix = matrix;
  if (options.time_scale > 0) summary.time_scale = options.time_scale;
  summary.schedule = options.schedule;
  for (const Document& each : documents) {
    std::ostringstream text;
    each.report->write(summary, text);
    each.output->write(text.str());
  }
  return exit_status_of(summary);
}

}  // namespace forkproof
