#pragma once
#include <string>

namespace forkproof {

/// The path of a file that belongs to this program: beside it, as it is built, or in libexec/forkproof, as it is
/// installed. The path beside it when it is in neither place.
std::string program_part(const std::string& name);

}  // namespace forkproof
