#pragma once
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/scenario/scenario.h"

namespace forkproof::scenario {

/// Where a case comes from and what it showed.
struct Provenance {
  std::string source;              ///< "fuzz, seed 7, case 12"
  std::set<std::string> breaks;    ///< the promises that it is expected to break
  std::vector<std::string> notes;  ///< comments for the reader, each one a sentence
};

/// The question that a case came from, or could have come from: crossed again with its profile and backend it is the same
/// case. `base`: the profile that its subject's is named after, as it stands in the library. BadInput for what no
/// scenario can say: a command, or a profile that differs from its base in more than knobs.
Scenario scenario_of(const Case& one, const Profile& base);

/// That question as the file that a person would have written: what differs from the defaults, and nothing else. The base
/// profile is read from the library. BadInput as above, or when there is no profile of that name.
std::string write_scenario(const Case& one, const Provenance& provenance);

}  // namespace forkproof::scenario
