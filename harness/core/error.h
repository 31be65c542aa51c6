#pragma once
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "harness/core/clipped.h"

namespace forkproof {

/// The user gave something that cannot be used: what, where, what would be right, in one line. Ends in exit 64. However
/// long what was given is, the line is no longer than `longest_message`.
struct BadInput : std::runtime_error {
  explicit BadInput(std::string message) : std::runtime_error(without_middle(std::move(message), longest_message)) {}
};

/// The harness itself could not do its work. Ends in exit 70.
struct HarnessFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "open /x: No such file or directory", for the errno given.
inline std::string error_text(const std::string& what, int error = errno) {
  return what + ": " + std::strerror(error);
}

[[noreturn]] inline void fail(const std::string& what, int error = errno) {
  throw HarnessFailure(error_text(what, error));
}

/// One line to standard error in the rig's voice; control characters become '?'.
void complain(const std::string& line);

/// The nearest of the known names to a mistyped one, or empty when none is near.
template <class Names>
std::string nearest(const std::string& mistyped, const Names& known);
std::size_t edit_distance(const std::string& left, const std::string& right);

template <class Names>
std::string nearest(const std::string& mistyped, const Names& known) {
  std::string best;
  std::size_t best_distance = mistyped.size() / 2 + 2;
  for (const auto& name : known) {
    const std::size_t longer = std::max(mistyped.size(), name.size()), shorter = std::min(mistyped.size(), name.size());
    if (longer - shorter >= best_distance) continue;  // so many have to be put in: a long word is soon done with
    const std::size_t distance = edit_distance(mistyped, std::string(name));
    if (distance < best_distance) best = std::string(name), best_distance = distance;
  }
  return best;
}

}  // namespace forkproof
