#pragma once
#include <string>
#include <vector>

namespace forkproof::scenario {

/// The folder `scenarios/`: $FORKPROOF_SCENARIOS, else beside the program or one level above it, else where it stood
/// when the program was built. BadInput when it is nowhere.
std::string library_directory();
/// Names (without .toml) of the files in a directory, sorted. Empty when it cannot be read.
std::vector<std::string> names_in(const std::string& directory);
/// Whether there is a file. BadInput, with its path and the reason, for what is there and is none, or cannot be looked at.
bool is_file(const std::string& path);
/// What a command line names: a path to a .toml file or a name in the library, either with "/VARIANT" behind it.
struct Named {
  std::string path;
  std::string variant;  ///< empty: all
};
/// BadInput with the nearest name when there is none.
Named find_scenario(const std::string& name);

}  // namespace forkproof::scenario
