#include "harness/core/shell_word.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace forkproof {

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char each) {
    return std::isalnum(each) || std::string_view("-_./,=+:@%").find(static_cast<char>(each)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char each : word) {
    if (each == '\'') quoted += "'\\''";
    else quoted += each;
  }
  return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

}  // namespace forkproof
