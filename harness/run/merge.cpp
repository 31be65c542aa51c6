#include "harness/run/merge.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"

namespace forkproof::run {
namespace {

/// A cell as one run saw it.
struct Sighting {
  const RunSummary* part;
  const CellSummary* cell;
};

/// The parts of one plan, and what they say of each place.
struct PlanSeen {
  Plan plan;
  std::vector<const RunSummary*> parts;
  std::map<std::uint64_t, std::vector<Sighting>> places;
};

auto numbers_of(const CellSummary& cell) {
  return std::tuple(cell.place, cell.outcome, cell.runs, cell.runs_wanted, cell.unexpected_runs, cell.unknown_runs);
}

/// Whether the two tell the same of their cells; wall times and words aside.
bool say_the_same(const RunSummary& left, const RunSummary& right) {
  return left.plan == right.plan && left.shard == right.shard && left.interrupted == right.interrupted &&
         std::equal(left.cells.begin(), left.cells.end(), right.cells.begin(), right.cells.end(),
                    [](const CellSummary& one, const CellSummary& other) { return numbers_of(one) == numbers_of(other); });
}

/// The runs, each once, by name.
std::vector<RunSummary> parts_of(const std::vector<RunSummary>& documents) {
  std::map<std::string, RunSummary> by_run;
  for (const RunSummary& document : documents) {
    const auto alone = std::vector<RunSummary>(document.parts.empty() ? 1 : 0, document);
    for (const RunSummary& part : document.parts.empty() ? alone : document.parts) {
      const auto [known, is_new] = by_run.try_emplace(part.run, part);
      if (!is_new && !say_the_same(known->second, part)) {
        throw BadInput(fmt::format("run {} is there in two versions: one of its files was changed", part.run));
      }
    }
  }
  std::vector<RunSummary> parts;
  for (auto& [run, part] : by_run) parts.push_back(std::move(part));
  return parts;
}

/// In an order that only the runs themselves decide: by the name of a plan's first scenario, which people know.
std::vector<PlanSeen> plans_in(const std::vector<RunSummary>& parts) {
  std::map<std::string, PlanSeen> by_id;
  for (const RunSummary& part : parts) {
    PlanSeen& seen = by_id[part.plan.id];
    seen.plan = {part.plan.id, std::max(seen.plan.cells, part.plan.cells)};
    seen.parts.push_back(&part);
    for (const CellSummary& cell : part.cells) seen.places[cell.place].push_back({&part, &cell});
  }
  std::vector<PlanSeen> plans;
  for (auto& [id, seen] : by_id) plans.push_back(std::move(seen));
  std::stable_sort(plans.begin(), plans.end(), [](const PlanSeen& left, const PlanSeen& right) {
    const auto name = [](const PlanSeen& plan) {
      return plan.places.empty() ? "" : plan.places.begin()->second.front().cell->one.scenario;
    };
    return name(left) < name(right);
  });
  return plans;
}

/// A run that was cut off before it came to this cell says nothing of it where another run has.
std::vector<Sighting> that_count(const std::vector<Sighting>& sightings) {
  const bool any_ran = std::any_of(sightings.begin(), sightings.end(), [](const Sighting& each) { return each.cell->runs > 0; });
  std::vector<Sighting> rest;
  for (const Sighting& each : sightings) {
    if (!any_ran || each.cell->runs > 0 || !each.part->interrupted) rest.push_back(each);
  }
  return rest;
}

void add(const CellSummary& cell, CellSummary* sum) {
  sum->runs += cell.runs, sum->unexpected_runs += cell.unexpected_runs, sum->unknown_runs += cell.unknown_runs;
  sum->runs_wanted = std::max(sum->runs_wanted, cell.runs_wanted);
  sum->wall += cell.wall;
  if (sum->note.empty()) sum->note = cell.note;
  const auto room = static_cast<std::ptrdiff_t>(std::min(most_endings - std::min(most_endings, sum->endings.size()), cell.endings.size()));
  sum->endings.insert(sum->endings.end(), cell.endings.begin(), cell.endings.begin() + room);
  // The worse one is the one to tell.
  if (cell.exhibit && (!sum->exhibit || cell.outcome > sum->outcome)) sum->exhibit = cell.exhibit;
  sum->outcome = std::max(sum->outcome, cell.outcome);
  for (const auto& [oracle, tally] : cell.oracles) {
    const auto [known, is_new] = sum->oracles.try_emplace(oracle, tally);
    if (is_new) continue;
    if (tally.worst.outcome > known->second.worst.outcome) known->second.worst = tally.worst;
    known->second.broken_runs += tally.broken_runs, known->second.unknown_runs += tally.unknown_runs;
  }
}

CellSummary sum_of(const std::vector<Sighting>& sightings) {
  const std::vector<Sighting> counted = that_count(sightings);
  CellSummary sum = *counted.front().cell;
  for (std::size_t i = 1; i < counted.size(); ++i) add(*counted[i].cell, &sum);
  return sum;
}

/// What a run says that another of the same cell may not say differently.
auto result_of(const CellSummary& cell) {
  std::map<std::string, Outcome> worst;
  for (const auto& [oracle, tally] : cell.oracles) worst.emplace(oracle, tally.worst.outcome);
  return std::pair(cell.outcome, std::move(worst));
}

std::string listed(const std::vector<std::uint64_t>& numbers) {
  constexpr std::size_t most = 10;
  const std::vector<std::uint64_t> first(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(std::min(most, numbers.size())));
  return fmt::format("{}{}", fmt::join(first, ", "), numbers.size() > most ? ", ..." : "");
}

/// Empty when every place of the plan was seen.
std::string what_is_missing(const PlanSeen& seen, bool one_of_many) {
  const std::uint64_t missing = seen.plan.cells - seen.places.size();
  if (missing == 0) return "";
  const std::uint64_t count = seen.parts.front()->shard.count;
  std::set<std::uint64_t> indices;
  bool alike = true;
  for (const RunSummary* part : seen.parts) indices.insert(part->shard.index), alike &= part->shard.count == count;
  std::vector<std::uint64_t> absent;
  for (std::uint64_t i = 1; i <= count; ++i) {
    if (!indices.contains(i)) absent.push_back(i);
  }
  std::string text = fmt::format("{} of {} cells were run by nobody", missing, seen.plan.cells);
  if (alike && !absent.empty()) {
    text = fmt::format("shard{} {} of {} {} missing: {}", absent.size() == 1 ? "" : "s", listed(absent), count,
                       absent.size() == 1 ? "is" : "are", text);
  }
  if (one_of_many) {
    text += fmt::format(" (plan {}, {}; other plans are other scenarios, options or versions)", seen.plan.id,
                        seen.places.empty() ? "no cell" : seen.places.begin()->second.front().cell->one.scenario);
  }
  return text;
}

void add_gaps(const PlanSeen& seen, bool one_of_many, std::vector<std::string>* gaps) {
  if (std::string text = what_is_missing(seen, one_of_many); !text.empty()) gaps->push_back(std::move(text));
  for (const auto& [place, sightings] : seen.places) {
    const std::vector<Sighting> counted = that_count(sightings);
    const auto differs = std::find_if(counted.begin(), counted.end(), [&counted](const Sighting& each) {
      return result_of(*each.cell) != result_of(*counted.front().cell);
    });
    if (differs == counted.end()) continue;
    const Case& one = counted.front().cell->one;
    const std::string subject = one.profile_name().empty() ? "the command" : one.profile_name() + " / " + one.backend_name();
    gaps->push_back(fmt::format("conflict: {}, {} was run more than once and came out {} in run {}, {} in run {}", one.scenario,
                                subject, name(counted.front().cell->outcome), counted.front().part->run,
                                name(differs->cell->outcome), differs->part->run));
  }
}

/// The weakest of the arenas, and all that was refused anywhere.
void add_world(const RunSummary& part, RunSummary* whole) {
  const auto tier = arena::tier_from(part.arena), known = arena::tier_from(whole->arena);
  if (whole->arena.empty() || (tier && known && *tier > *known)) whole->arena = part.arena, whole->arena_cost = part.arena_cost;
  whole->cgroup &= part.cgroup;
  for (const std::string& refusal : part.refusals) {
    const auto place = std::lower_bound(whole->refusals.begin(), whole->refusals.end(), refusal);
    if (place == whole->refusals.end() || *place != refusal) whole->refusals.insert(place, refusal);
  }
  for (const std::string& oracle : part.oracles) {
    if (std::find(whole->oracles.begin(), whole->oracles.end(), oracle) == whole->oracles.end()) whole->oracles.push_back(oracle);
  }
}

bool cut_off(const std::vector<Sighting>& sightings, const CellSummary& sum) {
  return sum.outcome != CellOutcome::skipped && sum.runs < sum.runs_wanted &&
         std::any_of(sightings.begin(), sightings.end(), [](const Sighting& each) { return each.part->interrupted; });
}

}  // namespace

RunSummary merged(const std::vector<RunSummary>& documents) {
  RunSummary whole;
  whole.parts = parts_of(documents);
  whole.cgroup = true;
  for (const RunSummary& part : whole.parts) {
    add_world(part, &whole);
    whole.matrix |= part.matrix;
    whole.wall += part.wall;
    whole.runs_per_cell = std::max(whole.runs_per_cell, part.runs_per_cell);
  }
  // What a command line asked for is in the line that shows a cell again, so it must have been asked for everywhere.
  const auto asked_everywhere = [&whole](auto member) {
    return std::all_of(whole.parts.begin(), whole.parts.end(),
                       [&](const RunSummary& part) { return part.*member == whole.parts.front().*member; });
  };
  if (!whole.parts.empty() && asked_everywhere(&RunSummary::time_scale)) whole.time_scale = whole.parts.front().time_scale;
  if (!whole.parts.empty() && asked_everywhere(&RunSummary::schedule)) whole.schedule = whole.parts.front().schedule;
  if (!whole.parts.empty() && asked_everywhere(&RunSummary::arena_asked)) whole.arena_asked = whole.parts.front().arena_asked;
  if (!whole.parts.empty() && asked_everywhere(&RunSummary::observe)) whole.observe = whole.parts.front().observe;
  const std::vector<PlanSeen> plans = plans_in(whole.parts);
  whole.matrix |= plans.size() > 1;
  if (plans.size() == 1) whole.plan = plans.front().plan;
  for (const PlanSeen& seen : plans) {
    add_gaps(seen, plans.size() > 1, &whole.gaps);
    for (const auto& [place, sightings] : seen.places) {
      const CellSummary& cell = whole.cells.emplace_back(sum_of(sightings));
      whole.interrupted |= cut_off(sightings, cell);
    }
  }
  return whole;
}

}  // namespace forkproof::run
