// repro SCENARIO: one question, crossed with profiles and backends.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/run/runner.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "reports/report.h"
#include "repro/common.h"

namespace forkproof {
namespace {

constexpr char about[] =
    "repro starts a task tree under a process supervisor, brings on one fault by\n"
    "construction, and says whether its promises held: nobody orphaned, no closed\n"
    "selector used, teardown bounded, and more.\n";

constexpr char more[] =
    "\nOther verbs:\n"
    "  repro list [KIND]   scenarios, profiles, backends, faults, oracles, ...\n"
    "  repro doctor        what this machine gives, and what that costs in certainty\n"
    "  repro judge DIR     judges histories that --keep has kept\n"
    "\nExamples:\n"
    "  repro heartbeat-409\n"
    "  repro heartbeat-409 --profile airflow-3.2.0,exemplary --backend fork --runs 200\n"
    "  repro my-question.toml --format json --output result.json\n"
    "\nExit status: 0 as expected, 1 not as expected, 2 could not tell,\n"
    "64 usage or bad input, 70 the harness itself failed.\n";

struct Options {
  std::string scenario;
  std::vector<std::string> profiles, backends;
  run::Orders orders;
  std::uint64_t seed = 1;
  double time_scale = 0;
  std::string format = "text";
  std::string output;
  std::string arena;
  bool verbose = false;
};

void describe(CLI::App& app, Options& options) {
  app.description(about);
  app.footer(more);
  app.get_formatter()->column_width(28);
  const auto range = [](auto least, auto most) { return CLI::Range(least, most).description(""); };
  app.add_option("SCENARIO", options.scenario, "a name (repro list) or a .toml file")->type_name("");
  app.add_option("--profile", options.profiles, "only these supervisor profiles")->type_name("A,B")->expected(1);
  app.add_option("--backend", options.backends, "only these spawn backends")->type_name("A,B")->expected(1);
  app.add_option("--runs", options.orders.runs, "runs of each cell (1)")->type_name("N")->check(range(1, 1'000'000));
  app.add_option("--jobs", options.orders.jobs, "arenas open at once (one a processor)")
      ->type_name("N")->check(range(1, 256));
  app.add_option("--seed", options.seed, "kept in the case (1)")->type_name("S");
  app.add_option("--time-scale", options.time_scale, "not the profile's: 1 runs the original seconds")
      ->type_name("X")->check(range(0.0001, 100.0));
  app.add_option("--format", options.format, "text or json (text)")->type_name("F");
  app.add_option("--output", options.output, "a file instead of standard output")->type_name("FILE");
  app.add_option("--keep", options.orders.keep, "keep each run's history below this folder")->type_name("DIR");
  app.add_option("--arena", options.arena, "start lower on the ladder: sealed,\nuser-namespace or subreaper")
      ->type_name("TIER");
  app.add_flag("-v,--verbose", options.verbose, "say more on standard error");
}

const reports::ReportRow& chosen_format(const std::string& format) {
  if (const auto* row = reports::find_report(format)) return *row;
  std::vector<std::string> known;
  for (const auto& row : reports::reports()) known.emplace_back(row.key);
  throw BadInput(fmt::format("--format {}: unknown; one of: {}", format, fmt::join(known, ", ")));
}

std::optional<arena::Tier> chosen_tier(const std::string& word) {
  if (word.empty()) return std::nullopt;
  const auto tier = arena::tier_from(word);
  if (!tier) throw BadInput("--arena " + word + ": unknown; one of: sealed, user-namespace, subreaper");
  return tier;
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

/// One line on a terminal, rewritten; elsewhere nothing, unless it takes long.
class ProgressLine {
 public:
  void operator()(const run::Progress& progress) {
    const Nanos now = monotonic_now();
    const Nanos interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    if (now - shown_ < interval) return;
    shown_ = now;
    const double rate = static_cast<double>(progress.done) / std::max(in_seconds(now - began_), 1e-3);
    const std::string line =
        fmt::format("{} of {} runs, {:.0f} a second, {} not as expected; now {} / {}", progress.done, progress.total,
                    rate, progress.not_as_expected, progress.cell->one.profile_name(),
                    progress.cell->one.backend_name());
    if (terminal_) fmt::print(stderr, "\r{:<79.79}", line);
    else fmt::print(stderr, "repro: {}\n", line);
    wrote_ = true;
  }
  void clear() const {
    if (terminal_ && wrote_) fmt::print(stderr, "\r{:<79}\r", "");
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool wrote_ = false;
  Nanos began_ = monotonic_now();
  Nanos shown_ = monotonic_now();
};

int exit_status_of(const RunSummary& summary) {
  const CellOutcome worst = worst_outcome(summary);
  if (worst == CellOutcome::not_as_expected) return not_as_expected;
  if (worst == CellOutcome::unknown || summary.interrupted) return could_not_tell;
  return as_expected;
}

int act(Options& options) {
  if (options.scenario.empty()) throw BadInput("which scenario? `repro list` shows them, `repro --help` the rest");
  if (options.verbose) spdlog::set_level(spdlog::level::debug);
  const reports::ReportRow& report = chosen_format(options.format);
  const auto tier = chosen_tier(options.arena);
  if (options.orders.jobs == 0) options.orders.jobs = std::max(1U, std::thread::hardware_concurrency());
  const scenario::Named named = scenario::find_scenario(options.scenario);
  run::Choice choice{split_names(options.profiles), split_names(options.backends), {}, options.seed};
  if (options.time_scale > 0) choice.time_scale = options.time_scale;
  std::vector<run::Cell> cells;
  for (const auto& question : scenario::read_scenarios(named.path, run::vocabulary(), named.variant)) {
    std::vector<run::Cell> crossed = run::cross(question, choice);
    std::move(crossed.begin(), crossed.end(), std::back_inserter(cells));
  }
  make_room_for_descriptors(run::descriptors_needed(cells) + 8 * options.orders.jobs);
  Output output(options.output);
  const arena::Provision provision = arena::provide(tier);
  spdlog::debug("arena {}, cgroup {}, {} cells of {} runs, {} at a time", arena::name(provision.tier),
                provision.cgroup_parent.empty() ? "none" : provision.cgroup_parent, cells.size(),
                options.orders.runs, options.orders.jobs);
  ProgressLine progress;
  RunSummary summary = run::run_all(cells, options.orders, provision, std::ref(progress));
  progress.clear();
  summary.time_scale = choice.time_scale;
  summary.asked = options.scenario;
  std::ostringstream document;
  report.write(summary, document);
  output.write(document.str());
  return exit_status_of(summary);
}

}  // namespace

int run_verb(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    complain("a command after -- is not supported yet: only the model supervisor's profiles are");
    return bad_input;
  }
  Options options;
  options.orders.jobs = 0;
  CLI::App app("", "repro");
  describe(app, options);
  return run_verb_with(app, argc, argv, [&options] { return act(options); });
}

}  // namespace forkproof
