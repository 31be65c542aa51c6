#pragma once
#include <string>
#include <vector>

#include "repro/adversary/chance.h"

namespace forkproof::adversary {

/// What a text is made of, and so how it is damaged where bytes and lines are not enough.
enum class Syntax { toml, json, json_lines };

/// The text with one to some dozen damages: bits, bytes, blocks, lines, values, keys, nesting, line ends, encodings. `words`:
/// what else may stand somewhere, taken from other texts of the same kind. Now and then it comes out as it was.
std::string mutated(const std::string& text, Syntax syntax, const std::vector<std::string>& words, Chance& chance);

/// The quoted words and the bare keys of a text.
std::vector<std::string> words_of(const std::string& text);

}  // namespace forkproof::adversary
