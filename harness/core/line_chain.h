#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace forkproof {

/// Seals the lines of a file, each a JSON object, one after the other: the last member of each line is "sum", a CRC-32C
/// over that line's other bytes and over all lines before it. So a byte that is changed anywhere, and a line that is
/// lost, repeated, moved or put in, makes the sum of a later line wrong. Only a cut between two lines does not: the
/// last line must say that it is the last. A value: a process that goes on with the file starts from a copy.
class LineChain {
 public:
  /// The line with its sum. REQUIRES: `line` is a JSON object with a member, and ends in "}\n".
  [[nodiscard]] std::string sealed(std::string line);
  /// Whether the line, without its newline, carries the sum that belongs here. False once it was false.
  [[nodiscard]] bool follows(std::string_view line);
  /// Whether the line carries any sum at all.
  [[nodiscard]] static bool has_sum(std::string_view line);

 private:
  std::uint32_t state_ = 0;
  bool broken_ = false;
};

}  // namespace forkproof
