#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "harness/core/case.h"
#include "harness/core/verdict.h"
#include "harness/fuzz/space.h"
#include "harness/run/run_pool.h"

namespace forkproof::fuzz {

/// How long a hunt goes on when it finds nothing.
struct HuntLimits {
  std::uint64_t cases = 2000;
  Nanos time = std::chrono::seconds(30);
  std::string oracle = {};  ///< nothing but this promise counts; empty: any does
};

/// The first case in which a promise broke, from nothing.
struct Quarry {
  Case one;
  std::string oracle;  ///< the first of those that broke, in the order of oracles.def
  Verdict verdict;
  std::uint64_t cases = 0;  ///< how many it took, itself included
  Nanos found_after{};
};

/// Invents and plays cases until one breaks. The pool is idle before and after. Blocks; empty when the limits are reached
/// or the pool is interrupted.
std::optional<Quarry> hunt(const Space& space, std::uint64_t seed, run::RunPool& pool, const HuntLimits& limits);

/// The first oracle that is broken here, in the order of oracles.def; empty when none is.
std::string first_broken(const std::map<std::string, Verdict>& verdicts);

}  // namespace forkproof::fuzz
