#pragma once
#include <cstdint>

#include "harness/core/case.h"

namespace forkproof {

/// What a node of the tree writes (fixtures/task): lines of this letter, one a write.
inline constexpr char task_letter = 'x';
/// So many of them in a row are taken for a task's output.
inline constexpr std::uint64_t least_task_letters = 16;

/// How many letters of a node's whole output can be told from other output: those in rows that are long enough.
inline std::uint64_t letters_of(const TaskNode& node) {
  const std::uint64_t size = node.write_size_bytes < 1 ? 1 : node.write_size_bytes;
  const std::uint64_t in_a_line = size - 1, rest = node.output_bytes % size;
  return (in_a_line >= least_task_letters ? node.output_bytes / size * in_a_line : 0) + (rest >= least_task_letters ? rest : 0);
}

}  // namespace forkproof
