#pragma once

// The parts of an emitted program that are the same in each that has them: plain text.

namespace forkproof::fuzz::emit {

extern const char preamble[];        ///< what every program begins with: includes, what the supervisor tells, and looks at /proc
extern const char survivors_code[];  ///< whom no-orphans counts
extern const char task_helpers[];    ///< what a task is made of
extern const char handler_code[];    ///< for a tree that handles signals
extern const char lifetime_code[];   ///< for a tree in which somebody ends after a time
extern const char output_code[];     ///< for a tree that writes

}  // namespace forkproof::fuzz::emit
