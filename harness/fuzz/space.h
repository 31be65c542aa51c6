#pragma once
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/profile.h"

namespace forkproof::fuzz {

/// A fault inside the subject with one backend, by the settings that say which it is ("lock = std-mutex"), in one kind of
/// supervisor: a prefork master, whose workers can leave a runtime alone, survives what a task does not.
struct Hazard {
  FaultSpec fault;
  std::string backend;
  Model model = Model::task_supervisor;
};

/// What is invented over. A value; with a seed and an index it decides a case on every machine alike.
struct Space {
  Profile profile;                    ///< the base; knobs that are neither right nor wrong (shape) are drawn over it
  std::vector<std::string> backends;  ///< as in backends.def
  bool hazards = false;               ///< also what no supervisor policy can survive: a bare fork with the lock held
  std::vector<Hazard> survivable;     ///< those that the catalogue asks of `exemplary` and expects it to hold
  std::set<std::string> faults;       ///< those that the catalogue asks of a model supervisor; the rest are for commands
  std::vector<SigintSetup> going;     ///< by the catalogue, those by which an orphan ends at SIGINT
};

/// The space over a profile of the library. Empty `backends`: all there are. BadInput for a name that does not exist.
Space space_over(const std::string& profile, const std::vector<std::string>& backends, bool hazards);

/// Whether a case of this space may have this fault with this backend, in that kind of supervisor. Faults that act outside
/// the subject always.
bool may_have(const Space& space, const FaultSpec& fault, const std::string& backend, Model model);

}  // namespace forkproof::fuzz
