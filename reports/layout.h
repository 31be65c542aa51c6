#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/printable.h"

namespace forkproof::reports {

inline constexpr std::size_t columns = 80;

/// The text broken at spaces to fit 80 columns: the first line behind `head`, the others indented as far.
/// Ends with a newline. A word that is longer than a line stands whole.
std::string wrapped(std::string_view head, std::string_view text);
/// The same with the other lines indented by `indent`.
std::string wrapped(std::string_view head, std::string_view text, std::size_t indent);

/// The same, broken only between these pieces.
std::string wrapped(std::string_view head, const std::vector<std::string>& pieces, std::size_t indent);

/// A command in 80 columns, to be copied into a shell: lines that go on end in a backslash. Ends with a newline.
std::string wrapped_command(std::size_t indent, const std::vector<std::string>& words);

/// At most `width` bytes; what is cut off ends in "...".
std::string clipped(const std::string& line, std::size_t width);

using forkproof::printable;

}  // namespace forkproof::reports
