// repro order SCENARIO: which orders of the processes break a promise, the nearest that holds, and what decides.
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/core/schedule.h"
#include "harness/fuzz/hunt.h"
#include "harness/fuzz/order.h"
#include "reports/layout.h"
#include "reports/names.h"
#include "repro/common.h"
#include "repro/options.h"
#include "repro/values.h"

namespace forkproof {
namespace {

constexpr char order_about[] =
    "Plays one cell of a scenario in many orders of its processes (as it comes,\n"
    "random, and by priorities that change: PCT), counts which orders break a\n"
    "promise, and for one that does finds the nearest that holds, and the pair of\n"
    "events that decides.\n";

constexpr char order_more[] =
    "\nOnly what our own processes announce can be ordered (repro list sync-points);\n"
    "what lies between two such points is the kernel's.\n"
    "\nExamples:\n"
    "  repro order run-refused-in-order/child-first --profile airflow-issue-patch \\\n"
    "    --backend fork\n"
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
  std::string all = fmt::format("  {:<15} {:>5} {:>5} {:>5} {:>7} {:>9} {:>7}  {}\n", "order", "runs", "break", "first",
                                "unknown", "decisions", "ms", "what breaks");
  for (const fuzz::Survey& each : surveys) {
    std::vector<std::string> oracles;
    for (const auto& [oracle, count] : each.by_oracle) {
      if (!oracles.empty()) oracles.back() += ",";
      oracles.push_back(fmt::format("{} {}", oracle, count));
    }
    if (oracles.empty()) oracles.emplace_back("-");
    if (each.unsettled > 0) oracles.push_back(fmt::format("({} not settled)", each.unsettled));
    const auto mean_ms = static_cast<std::uint64_t>(each.wall.count()) / 1'000'000;
    const std::string figures =
        fmt::format("  {:<15} {:>5} {:>5} {:>5} {:>7} {:>9} {:>7}  ", each.kind, each.runs, each.broken,
                    each.first ? std::to_string(*each.first) : "-", each.unknown, in_tenths(each.decisions, each.runs),
                    in_tenths(mean_ms, each.runs));
    all += reports::wrapped(figures, oracles, 4);
  }
  return all;
}

std::string told(const fuzz::OrderFound& found, const run::Cell& cell, const fuzz::OrderSearch& search) {
  CellSummary summary;
  summary.one = cell.one, summary.asked = cell.asked;
  RunSummary run;
  std::ostringstream all;
  all << "\n" << reports::wrapped("", fmt::format("{} breaks {}: {}", found.found_by, found.oracle, found.verdict.because), 2);
  all << fmt::format("  as letters        {}  breaks it {} of {}\n", found.breaks, found.breaking.broken, found.breaking.runs);
  if (found.breaking.broken < search.confirm_least) {
    all << "  not reliably: what decides is not in the order of the sync points alone\n";
  } else if (found.exchanges.empty()) {
    all << fmt::format("  no order near it holds ({} tried in {})\n", found.orders_tried, text(found.wall));
  } else {
    all << reports::wrapped("  nearest that holds ", fmt::format("{}  holds {} of {}; {}, {} tried in {}", found.holds,
                                                                 found.holding.held, found.holding.runs,
                                                                 reports::counted(found.exchanges.size(), "exchange", "exchanges"),
                                                                 reports::counted(found.orders_tried, "order", "orders"), text(found.wall)), 4);
    all << "\nCritical pair: it holds when\n";
    for (const fuzz::Exchange& each : found.exchanges) {
      all << reports::wrapped("  ", fmt::format("{}{}", &each == found.exchanges.data() ? "" : "and ", text(each)), 4);
    }
  }
  run.schedule = found.breaks;
  all << "\nSee it again:\n" << reports::wrapped_command(2, reports::reproducing_words(summary, run));
  if (found.exchanges.empty()) return all.str();
  run.schedule = found.holds;
  all << "and hold:\n" << reports::wrapped_command(2, reports::reproducing_words(summary, run));
  return all.str();
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
  std::string page = reports::wrapped(cell.one.scenario + ": ", cell.one.question, 2) +
                     reports::wrapped("", fmt::format("{}, {}; {} arena, {} at once", cell.one.profile_name(), cell.one.backend_name(),
                                                      arena::name(provision.tier), jobs), 2) + "\n" + table(surveys);
  std::uint64_t breaks = 0, unknown = 0;
  for (const fuzz::Survey& each : surveys) breaks += each.broken, unknown += each.unknown;
  const bool always = std::all_of(surveys.begin(), surveys.end(), [](const auto& each) { return each.broken == each.runs; });
  if (broken && always) page += "\nIt breaks in every order that was tried: the order is not what decides.\n";
  if (broken && !always) page += told(fuzz::nearest_that_holds(pool, *broken, fuzz::first_broken(broken->verdicts), search, say), cell, search);
  say("");
  output.write(reports::printable(page));
  if (pool.interrupted()) return could_not_tell;
  return breaks > 0 ? not_as_expected : unknown > 0 ? could_not_tell : as_expected;
}

}  // namespace

int order_verb(int argc, char** argv) {
  Asked asked;
  CLI::App app(order_about, "repro order");
  app.footer(order_more);
  app.get_formatter()->column_width(28);
  app.add_option("SCENARIO", asked.scenarios, "a name (repro list), NAME/VARIANT, or a .toml file")->type_name("")->expected(0, 1);
  app.add_option("--profile", asked.profiles, "the supervisor profile")->type_name("P")->expected(1)->allow_extra_args(false);
  app.add_option("--backend", asked.backends, "the spawn backend")->type_name("B")->expected(1)->allow_extra_args(false);
  add_whole(app, "--orders", asked.search.orders, 1, 100'000, "of each kind (50)")->type_name("N");
  add_whole(app, "--seed", asked.search.seed, 0, most_seed, "of the first order; the next has the next (1)")->type_name("S");
  add_whole(app, "--changes", asked.search.most_changes, 0, 99, "PCT with 0, 1 ... up to so many changes (3)")->type_name("D");
  add_whole(app, "--jobs", asked.jobs, 1, most_jobs, "arenas open at once (one a processor)")->type_name("N");
  add_number(app, "--budget", asked.budget_s, 0.1, 86'400, "seconds for the nearest order (60)")->type_name("S");
  app.add_option("--output", asked.output, "a file instead of standard output")->type_name("FILE")->check(not_empty());
  return run_verb_with(app, argc, argv, [&asked] { return act(asked); });
}

}  // namespace forkproof
