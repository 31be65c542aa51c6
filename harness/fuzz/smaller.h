#pragma once
#include <string>
#include <vector>

#include "harness/core/case.h"

namespace forkproof::fuzz {

/// A case that is one step smaller than another, and which step it was: "drop [[hold]] 2".
struct Smaller {
  std::string step;
  Case one;
};

/// The cases that are one step smaller, the most promising first: whole branches of the tree before single behaviours, these
/// before numbers. Pure. `base`: the profile that the case's is named after; knobs are set back to its values. Every one
/// is a valid case, is asked for a teardown if the case is, and repeating this comes to an end. BadInput for a case that
/// no scenario can say.
std::vector<Smaller> smaller(const Case& one, const Profile& base);

/// Whether something in the case itself asks for a teardown: a fault, or a task that ends by itself. A run of any other is
/// only ended by the time for its start.
bool asks_for_teardown(const Case& one);

}  // namespace forkproof::fuzz
