#pragma once
#include <string>
#include <string_view>

namespace forkproof {

/// What somebody has given, as a message shows it: whole where it is short, else its beginning and how long it is.
/// A message that shows a few of them stays a line that can be read.
std::string clipped(std::string_view given, std::size_t most = 100);

/// A whole message in at most `most` bytes. Its beginning says where the fault is, its end what would be right: so a very
/// long word loses its middle, and then the message does.
std::string without_middle(std::string message, std::size_t most);

/// No message of the rig is longer.
inline constexpr std::size_t longest_message = 1'900;

}  // namespace forkproof
