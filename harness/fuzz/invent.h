#pragma once
#include <cstdint>

#include "harness/core/case.h"
#include "harness/fuzz/space.h"

namespace forkproof::fuzz {

/// The case of that index. Pure: the same in every process and on every machine.
Case invent(const Space& space, std::uint64_t seed, std::uint64_t index);

}  // namespace forkproof::fuzz
