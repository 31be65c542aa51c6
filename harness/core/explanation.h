#pragma once
#include <string>
#include <vector>

#include "harness/core/event.h"

namespace forkproof {

/// What an explanation says, one sentence each. The cause comes first where it is known ("cause: task 3 ignores SIGTERM, ...");
/// the process is the subject of all others: "was started by sh 3, which has
/// ended; is now a child of PID 1, in group 5, session 5".
std::vector<std::string> sentences_of(const Explanation& one);

}  // namespace forkproof
