#include "harness/fuzz/order.h"

#include <algorithm>
#include <deque>
#include <set>

#include <fmt/format.h>

#include "harness/core/schedule.h"

namespace forkproof::fuzz {
namespace {

std::uint64_t decisions_in(const History& history) { return schedule_of(history).size(); }

bool is_unsettled(const History& history) {
  return std::any_of(history.events().begin(), history.events().end(), [](const Event& event) {
    const auto* step = event.as<Scheduled>();
    return step != nullptr && !step->settled;
  });
}

/// Runs all of these at once, as many as the pool takes; each is given to `take` as it ends.
void run_all(run::RunPool& pool, const Case& one, const std::vector<std::string>& schedules,
             const std::function<void(run::FinishedRun)>& take) {
  std::size_t next = 0;
  while (next < schedules.size() || !pool.idle()) {
    while (!pool.interrupted() && next < schedules.size() && !pool.full()) {
      Case ordered = one;
      ordered.schedule = schedules[next];
      pool.start(std::move(ordered), next);
      ++next;
    }
    if (pool.interrupted() && pool.idle()) return;
    for (run::FinishedRun& finished : pool.wait()) take(std::move(finished));
  }
}

struct Kind {
  std::string name;
  std::function<std::string(std::uint64_t seed)> schedule;
};

std::vector<Kind> kinds_of(const OrderSearch& search) {
  std::vector<Kind> kinds{{"as it comes", [](std::uint64_t) { return std::string(); }},
                          {"random", [](std::uint64_t seed) { return text(Schedule(RandomOrder{seed})); }}};
  for (std::uint64_t changes = 0; changes <= search.most_changes; ++changes) {
    const auto schedule = [changes](std::uint64_t seed) { return text(Schedule(PctOrder{seed, changes})); };
    kinds.push_back({fmt::format("pct, {} change{}", changes, changes == 1 ? "" : "s"), schedule});
  }
  return kinds;
}

void count(const run::FinishedRun& run, Survey* survey) {
  ++survey->runs;
  survey->decisions += decisions_in(run.history);
  survey->unsettled += is_unsettled(run.history) ? 1 : 0;
  survey->wall += run.wall;
  bool broken = false, unknown = false;
  for (const auto& [oracle, verdict] : run.verdicts) {
    unknown |= verdict.outcome == Outcome::unknown;
    if (verdict.outcome != Outcome::broken) continue;
    broken = true;
    ++survey->by_oracle[oracle];
  }
  survey->unknown += !broken && unknown ? 1 : 0;
  if (!broken) return;
  ++survey->broken;
  survey->first = std::min(survey->first.value_or(run.tag + 1), run.tag + 1);
}

/// The better one to look into: it can be replayed, and there is less in it.
bool tells_more(const run::FinishedRun& run, const std::optional<run::FinishedRun>& other) {
  const std::uint64_t decisions = decisions_in(run.history);
  return decisions > 0 && !is_unsettled(run.history) && (!other || decisions < decisions_in(other->history));
}

/// One order and what it came to; `history` is that of its last run in which the promise was broken, or else any.
struct Tried {
  Agreement reliability;
  History history;
};

/// Whether the order holds or breaks the promise: first once, and the other runs only while `wanted` may still be met.
Tried ask(run::RunPool& pool, const Case& one, const std::string& schedule, const std::string& oracle, Outcome wanted,
          const OrderSearch& search) {
  Tried tried;
  const auto take = [&](run::FinishedRun run) {
    const auto verdict = run.verdicts.find(oracle);
    const Outcome outcome = verdict == run.verdicts.end() ? Outcome::unknown : verdict->second.outcome;
    ++tried.reliability.runs;
    if (outcome == Outcome::broken) ++tried.reliability.broken;
    if (outcome == Outcome::held) ++tried.reliability.held;
    if (outcome == Outcome::broken || tried.history.size() == 0) tried.history = std::move(run.history);
  };
  run_all(pool, one, {schedule}, take);
  const bool may = wanted == Outcome::broken ? tried.reliability.broken > 0 : tried.reliability.held > 0;
  if (may && search.confirm_runs > 1) run_all(pool, one, std::vector<std::string>(search.confirm_runs - 1, schedule), take);
  return tried;
}

/// One order of the search: how it came from the broken one.
struct Step {
  History history;
  std::vector<Exchange> exchanges;
};

}  // namespace

std::vector<Survey> survey_orders(run::RunPool& pool, const Case& one, const OrderSearch& search, const Saying& say,
                                  std::optional<run::FinishedRun>* broken) {
  std::vector<Survey> surveys;
  for (const Kind& kind : kinds_of(search)) {
    if (pool.interrupted()) break;
    Survey survey;
    survey.kind = kind.name;
    std::vector<std::string> schedules;
    for (std::uint64_t i = 0; i < search.orders; ++i) schedules.push_back(kind.schedule(search.seed + i));
    run_all(pool, one, schedules, [&](run::FinishedRun run) {
      const std::uint64_t before = survey.broken;
      count(run, &survey);
      say(fmt::format("{}: {} of {} orders, {} break", kind.name, survey.runs, search.orders, survey.broken));
      if (survey.broken > before && tells_more(run, *broken)) *broken = std::move(run);
    });
    surveys.push_back(std::move(survey));
  }
  return surveys;
}

OrderFound nearest_that_holds(run::RunPool& pool, const run::FinishedRun& broken, const std::string& oracle,
                              const OrderSearch& search, const Saying& say) {
  const Nanos began = monotonic_now();
  OrderFound found;
  found.oracle = oracle, found.verdict = broken.verdicts.at(oracle);
  found.found_by = broken.one.schedule, found.breaks = schedule_of(broken.history);
  found.breaking = ask(pool, broken.one, found.breaks, oracle, Outcome::broken, search).reliability;
  std::set<std::string> seen{found.breaks};
  std::deque<Step> queue;
  queue.push_back({broken.history, {}});
  // Breadth first: every order that is one exchange away before any that is two.
  while (found.breaking.broken >= search.confirm_least && !queue.empty() && found.exchanges.empty()) {
    const Step from = std::move(queue.front());
    queue.pop_front();
    for (Exchange& exchange : exchanges_in(from.history)) {
      if (pool.interrupted() || monotonic_now() - began > search.budget) {
        queue.clear();
        break;
      }
      if (!seen.insert(exchange.schedule).second) continue;
      say(fmt::format("nearest order that holds: {} tried, {} exchange{} away", found.orders_tried, from.exchanges.size() + 1,
                      from.exchanges.empty() ? "" : "s"));
      ++found.orders_tried;
      Tried tried = ask(pool, broken.one, exchange.schedule, oracle, Outcome::held, search);
      std::vector<Exchange> path = from.exchanges;
      path.push_back(exchange);
      if (tried.reliability.held >= search.confirm_least) {
        found.holds = exchange.schedule, found.holding = tried.reliability, found.exchanges = std::move(path);
        break;
      }
      if (tried.reliability.broken > 0) queue.push_back({std::move(tried.history), std::move(path)});
    }
  }
  found.wall = monotonic_now() - began;
  return found;
}

}  // namespace forkproof::fuzz
