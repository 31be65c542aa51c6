// The proof, in order:
//   1. the canary: what must be found is found;
//   2. the right twins: exemplary holds every promise in the cells of the catalogue that are to judge the defects;
//   3. each planted defect: who in the catalogue catches it;
//   4. and from nothing: hunts, the first break shrunk, and what is left with the knob at its right value again;
//   5. the defects of real supervisors, from nothing.
#include "harness/fuzz/prove.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "harness/oracles/oracle.h"

namespace forkproof::fuzz {
namespace {

constexpr unsigned twin_runs = 3;  // of what was shrunk, with the knob at its right value

std::set<std::string> broken_in(const run::FinishedRun& run) {
  std::set<std::string> broken;
  for (const auto& [oracle, verdict] : run.verdicts) {
    if (verdict.outcome == Outcome::broken) broken.insert(oracle);
  }
  return broken;
}

/// Plays cases as the pool has room; `ended` gets each with its place in the list, and says whether to start more.
void play_all(const std::vector<Case>& cases, run::RunPool& pool, const std::function<bool(std::size_t, run::FinishedRun&)>& ended) {
  std::size_t next = 0;
  bool more = true;
  while ((more && next < cases.size() && !pool.interrupted()) || !pool.idle()) {
    while (more && next < cases.size() && !pool.full() && !pool.interrupted()) pool.start(cases[next], next), ++next;
    for (run::FinishedRun& run : pool.wait()) more = ended(run.tag, run) && more;
  }
}

class Prover {
 public:
  Prover(run::RunPool& pool, const ProofOptions& options, const arena::Provision& provision,
         const std::function<void(const std::string&)>& show)
      : pool_(pool), options_(options), provision_(provision), show_(show), exemplary_(exemplary_profile()), space_(space_over("exemplary", {}, false)) {}

  Proof prove();

 private:
  void watch_canary();
  void play_twins();
  void ask_catalogue(DefectProof& proof);
  void hunt_for(DefectProof& proof);
  void shrink_first(DefectProof& proof);
  void play_twin_of(DefectProof& proof);
  void killed(const std::string& oracle, const std::string& defect) { proof_.killed[oracle].insert(defect); }

  run::RunPool& pool_;
  const ProofOptions& options_;
  const arena::Provision& provision_;
  const std::function<void(const std::string&)>& show_;
  const Profile exemplary_;
  const Space space_;
  std::vector<CatalogueCell> cells_;  // of the catalogue, whose right twins have held
  Proof proof_;
};

void Prover::watch_canary() {
  show_("the canary");
  play_all({canary()}, pool_, [this](std::size_t, run::FinishedRun& run) {
    proof_.canary_failed = broken_in(run).contains("no-orphans");
    return true;
  });
}

void Prover::play_twins() {
  std::vector<CatalogueCell> candidates;
  std::vector<Case> cases;
  for (CatalogueCell& each : catalogue_cells(options_.backends)) {
    if (run::obstacle_to(each.cell.one, provision_)) continue;
    cases.push_back(each.cell.one);
    candidates.push_back(std::move(each));
  }
  std::vector<bool> held(cases.size(), false);
  play_all(cases, pool_, [&](std::size_t index, run::FinishedRun& run) {
    ++proof_.twins;
    show_(fmt::format("right twins {}/{}", proof_.twins, cases.size()));
    held[index] = true;
    for (const auto& [oracle, verdict] : run.verdicts) {
      if (verdict.outcome != Outcome::broken && verdict.outcome != Outcome::unknown) continue;
      held[index] = false;
      const std::string what = fmt::format("{} / {}: {}", run.one.scenario, run.one.backend_name(), oracle);
      (verdict.outcome == Outcome::broken ? proof_.twins_broken : proof_.twins_unknown).push_back(what);
    }
    return true;
  });
  // A cell whose twin does not hold can tell nothing of a defect.
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (held[i]) cells_.push_back(std::move(candidates[i]));
  }
}

void Prover::ask_catalogue(DefectProof& proof) {
  // First those that know of a profile with this very policy.
  std::vector<Case> cases;
  for (const bool knows : {true, false}) {
    for (const CatalogueCell& each : cells_) {
      if (each.policies.contains(proof.defect.name()) != knows) continue;
      cases.push_back(with_knob(each.cell, proof.defect.knob, proof.defect.word).one);
    }
  }
  std::size_t done = 0;
  play_all(cases, pool_, [&](std::size_t, run::FinishedRun& run) {
    show_(fmt::format("{}: catalogue {}/{}", proof.defect.name(), ++done, cases.size()));
    const std::set<std::string> broken = broken_in(run);
    for (const std::string& oracle : broken) killed(oracle, proof.defect.name());
    if (!broken.empty()) proof.caught_by.push_back({run.one.scenario, run.one.backend_name(), broken});
    return options_.whole_catalogue || broken.empty();
  });
}

void Prover::hunt_for(DefectProof& proof) {
  Space space = space_;
  space.profile = with_knob(exemplary_, proof.defect.knob, proof.defect.word);
  for (unsigned seed = 1; seed <= options_.seeds && !pool_.interrupted(); ++seed) {
    show_(fmt::format("{}: from nothing, seed {}/{}", proof.defect.name(), seed, options_.seeds));
    ++proof.hunts.seeds;
    auto found = hunt(space, seed, pool_, options_.hunt);
    if (!found) continue;
    killed(found->oracle, proof.defect.name());
    proof.hunts.found.push_back(std::move(*found));
  }
}

/// The first that breaks each time: one that is a race by itself can tell nothing.
void Prover::shrink_first(DefectProof& proof) {
  for (const Quarry& each : proof.hunts.found) {
    if (pool_.interrupted()) return;
    show_(fmt::format("{}: shrinking", proof.defect.name()));
    proof.hunts.shrunk = shrink(each.one, each.oracle, exemplary_, pool_, options_.shrink);
    if (proof.hunts.shrunk->end != ShrinkEnd::unreliable) return play_twin_of(proof);
  }
}

void Prover::play_twin_of(DefectProof& proof) {
  run::Cell cell;
  cell.one = proof.hunts.shrunk->one;
  const std::vector<Case> twins(twin_runs, with_knob(cell, proof.defect.knob, proof.defect.right).one);
  play_all(twins, pool_, [&proof](std::size_t, run::FinishedRun& run) {
    const std::string broke = first_broken(run.verdicts);
    if (!broke.empty()) proof.twin_flaw = "breaks " + broke;
    for (const auto& [oracle, verdict] : run.verdicts) {
      if (verdict.outcome == Outcome::unknown && proof.twin_flaw.empty()) proof.twin_flaw = "leaves unknown " + oracle;
    }
    return true;
  });
}

Proof Prover::prove() {
  watch_canary();
  if (!pool_.interrupted()) play_twins();
  for (const Planted& defect : planted_defects()) {
    if (pool_.interrupted()) break;
    DefectProof& proof = proof_.defects.emplace_back();
    proof.defect = defect;
    ask_catalogue(proof);
    hunt_for(proof);
    shrink_first(proof);
  }
  for (const SeedDefect& defect : options_.seeds_defects ? seed_defects() : std::vector<SeedDefect>{}) {
    if (pool_.interrupted()) break;
    show_(defect.name + ": from nothing");
    HuntLimits limits = options_.hunt;
    limits.oracle = defect.oracle;
    proof_.seeds.push_back({defect.name, defect.source, defect.oracle, hunt(defect.space, 1, pool_, limits)});
  }
  proof_.interrupted = pool_.interrupted();
  return std::move(proof_);
}

/// The middle one of all seeds; those that found nothing stand last, with no number.
std::optional<double> median_of(unsigned seeds, const std::vector<Quarry>& found, const std::function<double(const Quarry&)>& number) {
  std::vector<double> numbers;
  std::transform(found.begin(), found.end(), std::back_inserter(numbers), number);
  std::sort(numbers.begin(), numbers.end());
  const std::size_t half = seeds / 2;
  if (half >= numbers.size()) return std::nullopt;
  return seeds % 2 == 1 ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2;
}

void judge_defect(const DefectProof& proof, std::vector<std::string>* flaws) {
  const std::string name = proof.defect.name();
  if (proof.caught_by.empty()) flaws->push_back(name + ": no scenario of the catalogue catches it");
  if (proof.hunts.seeds > 0 && !proof.hunts.median_cases()) {
    flaws->push_back(fmt::format("{}: found from nothing with {} of {} seeds only", name, proof.hunts.found.size(), proof.hunts.seeds));
  }
  if (!proof.twin_flaw.empty()) {
    flaws->push_back(fmt::format("{}: what was shrunk {} with {}={} too", name, proof.twin_flaw, proof.defect.knob, proof.defect.right));
  }
}

void judge_oracles(const Proof& proof, std::vector<std::string>* flaws) {
  for (const auto& row : oracles::oracles()) {
    const std::string key(row.key);
    if (!proof.killed.contains(key) && why_it_cannot(key).empty()) flaws->push_back(key + ": caught no planted defect");
  }
}

}  // namespace

std::optional<double> Hunts::median_cases() const {
  return median_of(seeds, found, [](const Quarry& each) { return static_cast<double>(each.cases); });
}

std::optional<Nanos> Hunts::median_time() const {
  const auto median = median_of(seeds, found, [](const Quarry& each) { return static_cast<double>(each.found_after.count()); });
  return median ? std::optional(Nanos(static_cast<Nanos::rep>(*median))) : std::nullopt;
}

std::string why_it_cannot(const std::string& oracle) {
  if (oracle == "orphan-ends") return "how a task stands to SIGINT is the task's own doing: no policy of a supervisor decides it";
  return {};
}

std::vector<std::string> flaws(const Proof& proof) {
  std::vector<std::string> flaws;
  if (!proof.canary_failed) flaws.emplace_back("the canary held: nothing that is said here can be believed");
  for (const std::string& each : proof.twins_broken) flaws.push_back("exemplary breaks " + each);
  for (const DefectProof& each : proof.defects) judge_defect(each, &flaws);
  judge_oracles(proof, &flaws);
  for (const SeedProof& each : proof.seeds) {
    if (!each.found) flaws.push_back(each.name + ": not found from nothing");
  }
  if (proof.interrupted) flaws.emplace_back("it was interrupted");
  return flaws;
}

Proof prove(run::RunPool& pool, const ProofOptions& options, const arena::Provision& provision,
            const std::function<void(const std::string&)>& show) {
  return Prover(pool, options, provision, show).prove();
}

}  // namespace forkproof::fuzz
