#pragma once
#include <sys/types.h>

#include "harness/arena/launcher.h"
#include "harness/core/case.h"
#include "harness/run/player.h"
#include "harness/run/subject_io.h"

namespace forkproof::run {

/// The profile of a model supervisor; null for a command.
const Profile* profile_of(const Case& one);
/// A model supervisor that replaces its workers, and is asked to end when they are up.
bool is_prefork(const Case& one);
bool is_command(const Case& one);

/// Writes the files that a command wants. In PID 1 of the arena, when its directory is there. Throws HarnessFailure.
void write_files(const Part& part);

/// Forks the case's subject, in PID 1 of the arena: a session of its own, the stdio of `io`, every signal at its default. A
/// command gets a launcher as its parent. Throws HarnessFailure when it cannot be forked. What fails in it is told over `io`.
arena::Launched start_subject(const Part& part, SubjectIo& io);

}  // namespace forkproof::run
