#pragma once
#include <string>

#include <rapidcheck.h>

namespace forkproof::fuzz {

/// Schedules for invented cases: as it comes (half of them: it costs nothing), random, and PCT with up to three changes.
rc::Gen<std::string> any_schedule();

}  // namespace forkproof::fuzz
