#pragma once
#include <string>

#include "harness/fuzz/emit_plan.h"

// What each file writes of an emitted program: emit_cpp.cpp puts them together.

namespace forkproof::fuzz::emit {

/// The supervisor, `supervisor()`, and all that it calls; `root` is the function that plays the tree's root.
std::string supervisor_code(const Plan& plan, const std::string& root);

/// `main`: starts the supervisor, brings the trouble on, and looks at the promise in the end.
std::string main_code(const Plan& plan);

/// Refuses a promise that no program without the rig can look at.
void check_look(const std::string& oracle);

/// Another family, short and whole: a thread is inside a std::mutex, and the child of a fork wants it.
std::string mutex_program(const std::string& head, const std::string& backend, bool execs);

}  // namespace forkproof::fuzz::emit
