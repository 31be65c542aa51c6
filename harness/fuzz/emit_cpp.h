#pragma once
#include <string>

#include "harness/core/case.h"

namespace forkproof::fuzz {

/// One C++ file without the rig that shows what this case does to one promise: the tree as plain fork code, the supervisor's
/// decisive steps as its policies say, the fault, and at the end a look at what the oracle looks at. As a program it exits 1
/// when the promise is broken, 0 when it is kept, 2 when it could not tell. Only what the case needs is in it. Its waits are
/// for pipes and descriptors; the only times in it are those that the policies and the tasks are made of, and bounds.
///
/// A child that would have been exec'd is a fork here that closes what the exec would have closed.
/// BadInput, by name and with the reason, for what cannot be said so: a command, a fault or promise of other kinds.
std::string emit_cpp(const Case& one, const std::string& oracle);

}  // namespace forkproof::fuzz
