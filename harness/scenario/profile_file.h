#pragma once
#include <string>

#include "harness/core/profile.h"

namespace forkproof::scenario {

/// Reads `directory/NAME.toml`. A profile may say `extends = "other"`: it is that one with what it says itself changed.
/// BadInput with file, line and column; a profile that is not there names the nearest.
Profile read_profile(const std::string& directory, const std::string& name);

}  // namespace forkproof::scenario
