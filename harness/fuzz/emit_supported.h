#pragma once
#include <string_view>

#include "harness/core/case.h"

namespace forkproof::fuzz::emit {

/// Whether emitted programs do what this value of a knob says, or cannot be told apart by it. What is not on the list is not.
bool supports(std::string_view knob, std::string_view word);

/// Throws BadInput for the first thing of the case that is not on the lists of what emitted programs can do: a knob's value, a
/// backend, a task's behaviour, a fault or one of its settings. The message names it and says what is supported.
void check_supported(const Case& one);

}  // namespace forkproof::fuzz::emit
