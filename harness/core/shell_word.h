#pragma once
#include <string>
#include <vector>

namespace forkproof {

/// A word as a shell reads it back: bare where nothing in it is special, else in single quotes.
std::string shell_word(const std::string& word);
/// A whole command line, each word as above.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace forkproof
