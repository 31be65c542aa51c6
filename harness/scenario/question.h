#pragma once
#include <set>
#include <string>

#include "harness/core/case.h"

namespace forkproof::scenario {

/// The question that a case asks, as one sentence: what goes wrong in it, and the promises that are in doubt (keys of
/// oracles.def; none: whether all hold).
std::string question_of(const Case& one, const std::set<std::string>& in_doubt);

/// Whether there are words of its own for a fault or a promise; others are called by their keys.
bool has_words_for_fault(const std::string& key);
bool has_words_for_oracle(const std::string& key);

}  // namespace forkproof::scenario
