#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/fuzz/hunt.h"
#include "harness/fuzz/planted.h"
#include "harness/fuzz/shrink.h"
#include "harness/run/run_pool.h"

namespace forkproof::fuzz {

/// How much is proved.
struct ProofOptions {
  bool whole_catalogue = true;  ///< every cell for every defect; else the first one that catches it is enough
  std::vector<std::string> backends{"fork", "posix-spawn"};  ///< of the catalogue's cells
  unsigned seeds = 10;          ///< hunts from nothing for each defect, with seeds 1, 2 ...
  HuntLimits hunt;
  bool seeds_defects = true;    ///< also those of real supervisors
  ShrinkOptions shrink;
};

/// One scenario of the catalogue that catches a defect, and by which promises.
struct Catch {
  std::string scenario, backend;
  std::set<std::string> oracles;
};

/// What became of hunts from nothing.
struct Hunts {
  unsigned seeds = 0;
  std::vector<Quarry> found;  ///< of those seeds that found anything
  std::optional<Shrunk> shrunk;  ///< of the first that breaks each time, else of the last
  /// Over all seeds, and one that found nothing took longer than any that did: empty where that is the middle one.
  [[nodiscard]] std::optional<double> median_cases() const;
  [[nodiscard]] std::optional<Nanos> median_time() const;
};

struct DefectProof {
  Planted defect;
  std::vector<Catch> caught_by;
  Hunts hunts;
  std::string twin_flaw;  ///< of what was shrunk, with the knob at its right value: what broke or could not be told; empty: all held
  [[nodiscard]] bool caught() const { return !caught_by.empty() || !hunts.found.empty(); }
};

/// A defect of a real supervisor, from nothing.
struct SeedProof {
  std::string name, source, oracle;
  std::optional<Quarry> found;
};

struct Proof {
  bool canary_failed = false;  ///< as it must
  std::uint64_t twins = 0;     ///< cells of the catalogue under exemplary
  std::vector<std::string> twins_broken, twins_unknown;  ///< "scenario / backend: oracle"
  std::vector<DefectProof> defects;
  std::vector<SeedProof> seeds;
  std::map<std::string, std::set<std::string>> killed;  ///< by oracle: the defects that it caught
  bool interrupted = false;
};

/// Why an oracle can catch no planted defect; empty where it can.
std::string why_it_cannot(const std::string& oracle);

/// What is wrong with the proof, one line each; empty: it stands.
std::vector<std::string> flaws(const Proof& proof);

/// Runs it all. Blocks; `show` is told what is being done. The pool is idle before and after.
Proof prove(run::RunPool& pool, const ProofOptions& options, const arena::Provision& provision,
            const std::function<void(const std::string&)>& show);

}  // namespace forkproof::fuzz
