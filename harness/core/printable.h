#pragma once
#include <string>
#include <string_view>

namespace forkproof {

/// Safe on a terminal, in a log and in XML: control characters other than newline, and what is no UTF-8 (or no
/// character at all), each become '?'.
std::string printable(std::string_view text);

}  // namespace forkproof
