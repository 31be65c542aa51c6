#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace forkproof::reports {

inline constexpr std::size_t columns = 80;

/// The text broken at spaces to fit 80 columns: the first line behind `head`, the others indented as far.
/// Ends with a newline.
std::string wrapped(std::string_view head, std::string_view text);
/// The same with the other lines indented by `indent`.
std::string wrapped(std::string_view head, std::string_view text, std::size_t indent);

}  // namespace forkproof::reports
