#pragma once

namespace forkproof {

/// What ProbeMade calls the look at whether a supervisor was woken by its task's end.
inline constexpr char end_probe[] = "the task's end";

}  // namespace forkproof
