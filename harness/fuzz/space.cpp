#include "harness/fuzz/space.h"

#include <algorithm>

#include "harness/faults/fault.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz {
namespace {

/// What every policy at its right value is held to.
constexpr char yardstick[] = "exemplary";

/// The settings that say which fault it is, without those that only shade it.
FaultSpec identity_of(const FaultSpec& fault) {
  FaultSpec identity{fault.fault, {}};
  for (const Setting& setting : faults::find_fault(fault.fault)->settings) {
    const auto found = fault.settings.find(std::string(setting.key));
    if (setting.required && found != fault.settings.end()) identity.settings.insert(*found);
  }
  return identity;
}

/// What the catalogue asks of model supervisors, and of the yardstick, which it expects to hold.
void learn_from(const scenario::Scenario& question, Space* space) {
  if (question.for_commands) return;
  for (const FaultSpec& fault : question.faults) space->faults.insert(fault.fault);
  const auto& profiles = question.profiles;
  if (std::find(profiles.begin(), profiles.end(), yardstick) == profiles.end()) return;
  const auto model = question.knobs.find("model");
  const bool prefork = model != question.knobs.end() && model->second == word(Model::prefork_master);
  const Model kind = prefork ? Model::prefork_master : Model::task_supervisor;
  for (const std::string& backend : question.backends) {
    if (!scenario::expected_breaks(question, yardstick, backend).empty()) continue;
    for (const FaultSpec& fault : question.faults) {
      if (faults::find_fault(fault.fault)->in_subject) space->survivable.push_back({identity_of(fault), backend, kind});
    }
    auto& going = space->going;
    const bool asks_how = question.tree.sigint != SigintSetup::none;
    if (asks_how && std::find(going.begin(), going.end(), question.tree.sigint) == going.end()) going.push_back(question.tree.sigint);
  }
}

}  // namespace

Space space_over(const std::string& profile, const std::vector<std::string>& backends, bool hazards) {
  run::Choice choice;
  choice.profiles = {profile};
  choice.backends = backends;
  run::check_names(choice);
  const std::string directory = scenario::library_directory();
  const Vocabulary words = run::vocabulary();
  Space space;
  space.profile = scenario::read_profile(directory + "/profiles", profile);
  space.backends = backends.empty() ? words.backends : backends;
  space.hazards = hazards;
  for (const std::string& name : scenario::names_in(directory)) {
    for (const auto& question : scenario::read_scenarios(directory + "/" + name + ".toml", words)) {
      learn_from(question, &space);
    }
  }
  return space;
}

bool may_have(const Space& space, const FaultSpec& fault, const std::string& backend, Model model) {
  if (space.hazards || !faults::find_fault(fault.fault)->in_subject) return true;
  const FaultSpec identity = identity_of(fault);
  return std::any_of(space.survivable.begin(), space.survivable.end(), [&](const Hazard& known) {
    return known.backend == backend && known.model == model && known.fault == identity;
  });
}

}  // namespace forkproof::fuzz
