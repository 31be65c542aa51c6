#pragma once
#include <string>

namespace forkproof::fuzz {

/// Writes `folder/name.toml`, making the folder: whole or not at all, and on the disk when it returns (temporary name,
/// fsync, rename, fsync of the folder). Returns the path. BadInput when it cannot be written; then nothing is left of it.
std::string save_found(const std::string& folder, const std::string& name, const std::string& text);

}  // namespace forkproof::fuzz
