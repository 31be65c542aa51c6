#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "harness/core/duration.h"

namespace forkproof {

// What options may be given, read strictly: what is not meant (-1, 0x10, nan, nothing at all) is BadInput that names the
// option and what would be right, never another number.

/// In decimal digits alone, from `least` to `most`.
std::uint64_t whole_number(const std::string& option, const std::string& text, std::uint64_t least, std::uint64_t most);
/// A finite number in decimal, from `least` to `most`.
double number(const std::string& option, const std::string& text, double least, double most);
/// "500ms", "60s" or "60", "10m" or "10min", "2h".
Nanos duration(const std::string& option, const std::string& text, Nanos least, Nanos most);

inline constexpr std::uint64_t most_jobs = 256;
/// The largest seed and case number: what a TOML file can hold.
inline constexpr std::uint64_t most_seed = std::numeric_limits<std::int64_t>::max();

/// An option that takes such a whole number (into an optional, too).
template <class Number>
CLI::Option* add_whole(CLI::App& app, const std::string& option, Number& value, std::uint64_t least, std::uint64_t most,
                       const std::string& about) {
  return app.add_option_function<std::string>(
      option, [=, &value](const std::string& text) { value = Number(whole_number(option, text, least, most)); }, about);
}
/// One that takes such a number.
CLI::Option* add_number(CLI::App& app, const std::string& option, double& value, double least, double most, const std::string& about);

/// For an option whose absence means something: '' (an unset $X) is not the same.
CLI::Validator not_empty();

/// The paths of --share, absolute. BadInput for one that is not there, or that the machine shares anyway.
std::vector<std::string> shared_paths(const std::vector<std::string>& asked);

}  // namespace forkproof
