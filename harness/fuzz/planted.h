#pragma once
#include <set>
#include <string>
#include <vector>

#include "harness/core/profile.h"
#include "harness/fuzz/space.h"
#include "harness/run/plan.h"

namespace forkproof::fuzz {

/// One wrong value of one knob, to be laid alone over a profile that has all the right ones.
struct Planted {
  std::string knob, word;
  std::string right;  ///< the knob's right value
  [[nodiscard]] std::string name() const { return knob + "=" + word; }
};

/// Every wrong value of every knob, in the order of knobs.def.
std::vector<Planted> planted_defects();

/// The profile with that knob at that word. BadInput when there is no such knob or word.
Profile with_knob(Profile profile, const std::string& knob, const std::string& word);

/// The profile that must hold against everything, from the library.
Profile exemplary_profile();

/// The cells of the catalogue under `exemplary` and what else has no wrong value (exemplary-slow), over at most these backends, that are expected to hold every promise.
/// Scenarios that tell profiles apart come first: they ask about policies.
struct CatalogueCell {
  run::Cell cell;
  std::set<std::string> policies;  ///< "knob=word" of every profile that its scenario tells apart
};
std::vector<CatalogueCell> catalogue_cells(const std::vector<std::string>& backends);

/// A cell with a knob laid over it, expecting nothing: what breaks in it, the knob has broken.
run::Cell with_knob(run::Cell cell, const std::string& knob, const std::string& word);

/// What must be found, whatever happens: a supervisor without any of the right stop policies, and a task that leaves a
/// helper behind, with no fault at all. If nothing is found in it, nothing that the pipeline says is worth anything.
Case canary();

/// A defect of a real supervisor as it was reported, to be found from nothing: among whatever is invented over the
/// profile, by the promise that it broke.
struct SeedDefect {
  std::string name, source;
  Space space;
  std::string oracle;
};
std::vector<SeedDefect> seed_defects();

}  // namespace forkproof::fuzz
