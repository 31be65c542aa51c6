#pragma once
#include <sys/types.h>

#include "harness/core/case.h"
#include "harness/run/player.h"

namespace forkproof::run {

/// The profile of a model supervisor; null for a command.
const Profile* profile_of(const Case& one);
/// A model supervisor that replaces its workers, and is asked to end when they are up.
bool is_prefork(const Case& one);

/// Forks the case's subject, in PID 1 of the arena: a session of its own, stdin and stdout from /dev/null, stderr the
/// warden's, every signal at its default. Returns its pid; throws HarnessFailure when it cannot be forked.
pid_t start_subject(const Part& part);

}  // namespace forkproof::run
