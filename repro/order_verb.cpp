// repro order SCENARIO: which orders of the processes break a promise, the nearest that holds, and what decides.
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/core/schedule.h"
#include "harness/fuzz/order.h"
#include "reports/names.h"
#include "repro/common.h"
#include "repro/options.h"

namespace forkproof {
namespace {

constexpr char about[] =
    "Plays one cell of a scenario in many orders of its processes (as it comes, random,\n"
    "and by priorities that change: PCT), counts which orders break a promise, and for\n"
    "one that does finds the nearest that holds, and the pair of events that decides.\n";

constexpr char more[] =
    "\nOnly what our own processes announce can be ordered (repro list sync-points); what\n"
    "lies between two such points is the kernel's.\n"
    "\nExamples:\n"
    "  repro order run-refused --profile airflow-issue-patch --backend fork\n"
    "  repro order my-question.toml --profile exemplary --backend fork --orders 200\n"
    "\nExit status: 0 no order breaks a promise, 1 some order does, 2 could not tell,\n"
    "64 usage or bad input, 70 the harness itself failed.\n";

struct Asked {
  std::vector<std::string> scenarios, profiles, backends;
  unsigned jobs = 0;
  double budget_s = 60;
  std::string output;
  fuzz::OrderSearch search;
};

/// The one cell; which of several is meant must be said.
run::Cell cell_of(const Asked& asked) {
  if (asked.scenarios.empty()) throw BadInput("which scenario? `repro list` shows them");
  Options options;
  options.profiles = asked.profiles, options.backends = asked.backends, options.schedule = "";
  std::vector<run::Cell> cells = cells_of(asked.scenarios.front(), choice_of(options));
  if (cells.size() == 1) {
    const std::size_t nodes = count_nodes(cells.front().one.tree);
    if (nodes <= most_scheduled_nodes) return std::move(cells.front());
    throw BadInput(fmt::format("a tree of {} processes: only {} have a letter in a schedule", nodes, most_scheduled_nodes));
  }
  throw BadInput(fmt::format("{} has {} cells; say which: --profile P --backend B (and NAME/VARIANT)",
                             asked.scenarios.front(), cells.size()));
}

std::string in_tenths(std::uint64_t sum, std::uint64_t count) {
  return count == 0 ? "-" : fmt::format("{:.1f}", static_cast<double>(sum) / static_cast<double>(count));
}

/// "6" alone says little beside 6 of how many: column for column.
std::string table(const std::vector<fuzz::Survey>& surveys) {
  std::string all = fmt::format("  {:<16} {:>6} {:>6} {:>6} {:>8} {:>10} {:>7}  {}\n", "order", "runs", "break", "first",
                                "unknown", "decisions", "ms", "what breaks");
  for (const fuzz::Survey& each : surveys) {
    std::string oracles;
    for (const auto& [oracle, count] : each.by_oracle) oracles += fmt::format("{}{} {}", oracles.empty() ? "" : ", ", oracle, count);
    const auto mean_ms = static_cast<std::uint64_t>(each.wall.count()) / 1'000'000;
    all += fmt::format("  {:<16} {:>6} {:>6} {:>6} {:>8} {:>10} {:>7}  {}", each.kind, each.runs, each.broken,
                       each.first ? std::to_string(*each.first) : "-", each.unknown, in_tenths(each.decisions, each.runs),
                       in_tenths(mean_ms, each.runs), oracles.empty() ? "-" : oracles);
    all += each.unsettled == 0 ? "\n" : fmt::format(" ({} not settled)\n", each.unsettled);
  }
  return all;
}

std::string told(const fuzz::OrderFound& found, const run::Cell& cell, const fuzz::OrderSearch& search) {
  CellSummary summary;
  summary.one = cell.one, summary.asked = cell.asked;
  RunSummary run;
  std::ostringstream all;
  all << fmt::format("\n{} breaks {}: {}\n", found.found_by, found.oracle, found.verdict.because);
  all << fmt::format("  as letters        {}  breaks it {} of {}\n", found.breaks, found.breaking.broken, found.breaking.runs);
  if (found.breaking.broken < search.confirm_least) {
    all << "  not reliably: what decides is not in the order of the sync points alone\n";
  } else if (found.exchanges.empty()) {
    all << fmt::format("  no order near it holds ({} tried in {})\n", found.orders_tried, text(found.wall));
  } else {
    all << fmt::format("  nearest that holds {}  holds {} of {}; {} exchange{}, {} orders tried in {}\n", found.holds,
                       found.holding.held, found.holding.runs, found.exchanges.size(), found.exchanges.size() == 1 ? "" : "s",
                       found.orders_tried, text(found.wall));
    all << "\nCritical pair: it holds when\n";
    for (const fuzz::Exchange& each : found.exchanges) {
      all << fmt::format("  {}{}\n", &each == found.exchanges.data() ? "" : "and ", text(each));
    }
  }
  run.schedule = found.breaks;
  all << "\nSee it again:\n  " << reports::reproducing_line(summary, run) << "\n";
  if (found.exchanges.empty()) return all.str();
  run.schedule = found.holds;
  all << "and hold:\n  " << reports::reproducing_line(summary, run) << "\n";
  return all.str();
}

std::string first_broken(const run::FinishedRun& run) {
  for (const auto& [oracle, verdict] : run.verdicts) {
    if (verdict.outcome == Outcome::broken) return oracle;
  }
  return {};
}

int act(const Asked& asked) {
  const run::Cell cell = cell_of(asked);
  Output output(asked.output);
  const arena::Provision provision = arena::provide(std::nullopt);
  if (const auto obstacle = run::obstacle_to(cell.one, provision)) throw BadInput(obstacle->note);
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto say = [terminal](const std::string& line) { if (terminal) fmt::print(stderr, "\r\x1b[K{}", line.substr(0, 79)); };
  fuzz::OrderSearch search = asked.search;
  search.budget = from_seconds(asked.budget_s);
  const unsigned jobs = asked.jobs != 0 ? asked.jobs : std::max(1U, std::thread::hardware_concurrency());
  run::RunPool pool(provision, jobs);
  std::optional<run::FinishedRun> broken;
  const auto surveys = fuzz::survey_orders(pool, cell.one, search, say, &broken);
  say("");
  std::string page = fmt::format("{}: {}\n{}, {}; {} arena, {} at once\n\n{}", cell.one.scenario, cell.one.question,
                                 cell.one.profile_name(), cell.one.backend_name(), arena::name(provision.tier), jobs, table(surveys));
  std::uint64_t breaks = 0, unknown = 0;
  for (const fuzz::Survey& each : surveys) breaks += each.broken, unknown += each.unknown;
  const bool always = std::all_of(surveys.begin(), surveys.end(), [](const auto& each) { return each.broken == each.runs; });
  if (broken && always) page += "\nIt breaks in every order that was tried: the order is not what decides.\n";
  if (broken && !always) page += told(fuzz::nearest_that_holds(pool, *broken, first_broken(*broken), search, say), cell, search);
  say("");
  output.write(page);
  if (pool.interrupted()) return could_not_tell;
  return breaks > 0 ? not_as_expected : unknown > 0 ? could_not_tell : as_expected;
}

}  // namespace

int order_verb(int argc, char** argv) {
  Asked asked;
  CLI::App app(about, "repro order");
  app.footer(more);
  app.get_formatter()->column_width(28);
  const auto range = [](auto least, auto most) { return CLI::Range(least, most).description(""); };
  app.add_option("SCENARIO", asked.scenarios, "a name (repro list), NAME/VARIANT, or a .toml file")->type_name("")->expected(0, 1);
  app.add_option("--profile", asked.profiles, "the supervisor profile")->type_name("P")->expected(1);
  app.add_option("--backend", asked.backends, "the spawn backend")->type_name("B")->expected(1);
  app.add_option("--orders", asked.search.orders, "of each kind (50)")->type_name("N")->check(range(1, 100'000));
  app.add_option("--seed", asked.search.seed, "of the first order; the next has the next (1)")->type_name("S");
  app.add_option("--changes", asked.search.most_changes, "PCT with 0, 1 ... up to so many changes (3)")->type_name("D")->check(range(0, 99));
  app.add_option("--jobs", asked.jobs, "arenas open at once (one a processor)")->type_name("N")->check(range(1, 256));
  app.add_option("--budget", asked.budget_s, "seconds for the nearest order (60)")->type_name("S")->check(range(0.1, 86'400.0));
  app.add_option("--output", asked.output, "a file instead of standard output")->type_name("FILE");
  return run_verb_with(app, argc, argv, [&asked] { return act(asked); });
}

}  // namespace forkproof
