#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "harness/run/plan.h"

namespace forkproof::run {

/// A name for what all the shards of one command line have in common: the cells, whole and in order, and how often each
/// is run. Equal on every machine with the same library.
std::string plan_id(const std::vector<Cell>& cells, std::uint64_t runs);
/// The same for work that is described in words: a campaign's space and seed.
std::string plan_id(const std::string& described);

/// A name for this very run of `repro`, unlike any other's: 64 random bits (`man 2 getrandom`). What is merged is told
/// apart by it.
std::string fresh_run_id();

}  // namespace forkproof::run
