#pragma once
#include <string>
#include <vector>

#include "harness/core/profile.h"

namespace forkproof::fuzz {

/// What is invented over. A value; with a seed and an index it decides a case on every machine alike.
struct Space {
  Profile profile;                    ///< the base; knobs that are neither right nor wrong (shape) are drawn over it
  std::vector<std::string> backends;  ///< as in backends.def
  bool hazards = false;               ///< also what no supervisor policy can survive: a bare fork with the lock held
};

}  // namespace forkproof::fuzz
