#pragma once
#include <string>
#include <vector>

namespace forkproof::scenario {

/// The folder `scenarios/`: $FORKPROOF_SCENARIOS, else beside the program or one level above it, else where it stood
/// when the program was built. BadInput when it is nowhere.
std::string library_directory();
/// Names (without .toml) of the files in a directory, sorted. Empty when it cannot be read.
std::vector<std::string> names_in(const std::string& directory);
/// The file of a scenario that was named on the command line: a path to a .toml file, or a name in the library.
/// BadInput with the nearest name when there is none.
std::string find_scenario(const std::string& name);

}  // namespace forkproof::scenario
