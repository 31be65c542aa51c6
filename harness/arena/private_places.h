#pragma once
#include <string>
#include <vector>

namespace forkproof::arena {

/// What an arena sees of the machine's /tmp, /var/tmp and /dev/shm.
struct Sharing {
  std::vector<std::string>
      shared;  ///< absolute paths that are to be the machine's: a place, a part of one, or what holds one
  std::vector<std::string>
      texts;  ///< a command's words, environment and the like: what they name stays there
};

/// Gives this arena a /tmp, /var/tmp and /dev/shm of its own, each an empty tmpfs, but for what the command
/// was given: what `texts` or the working directory name below such a place. A folder directly in /tmp stays
/// the machine's with all that is below it; a file directly in /tmp is a copy; a socket or FIFO is the
/// machine's. The working directory is entered again. Returns the places that are the arena's own. REQUIRES:
/// PID 1 of an arena with a mount namespace, before the first fork. Throws HarnessFailure.
std::vector<std::string> make_places_private(const Sharing& sharing);

/// The names of what was put into these places and vanishes with the arena.
std::vector<std::string> left_in_private_places(const std::vector<std::string>& places,
                                                const Sharing& sharing);

/// The values of this process's environment that can name paths: all but those that say where temporary files
/// go.
std::vector<std::string> environment_texts();

/// What is wrong with a path to be shared; empty when nothing is.
std::string check_shared(const std::string& path);

}  // namespace forkproof::arena
