#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/summary.h"
#include "harness/run/plan.h"

namespace forkproof::run {

/// More than this is a slip of the hand.
inline constexpr std::uint64_t most_shards = 10'000;

/// Looks a variable up; empty when it is not set, or set to nothing.
using Environment = std::function<std::string(const char* name)>;
/// This process's own (`man 3 getenv`).
Environment own_environment();

/// Which part of the work is ours. In this order: `option` ("I/N", I from 1: the environment then counts for nothing,
/// and 1/1 is all of it), else what an engine that runs many copies of one command has set (shard.cpp's table): GoogleTest's
/// protocol, a Slurm array, a Kubernetes Indexed Job, GitLab's `parallel`. Nothing set: all of it.
/// Nobody's variables are guessed at: half of a pair, two engines that say different things, or an index beyond its count
/// are BadInput.
///
/// The variables are inherited by everything below an engine's job. Where that is not meant (an array over scenarios,
/// a test program that runs `repro`), `--shard 1/1` says so; our own ctest takes them away from the tests that run it.
Shard read_shard(const std::string& option, const Environment& environment);

/// The cells of a shard: a pure function of the list, so that machines that share the work need not talk. BadInput when
/// nothing would be left: a job that runs nothing must not be green.
std::vector<Cell> part_of(std::vector<Cell> cells, const Shard& shard);

}  // namespace forkproof::run
