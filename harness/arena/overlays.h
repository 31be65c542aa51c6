#pragma once
#include <span>
#include <string>

namespace forkproof::arena {

/// One file of the machine as a subject is to see it, in this arena's mount namespace and nowhere else.
struct Overlay {
  std::string path;      ///< of a file that exists; of several for one path the last is seen, and lies on the others
  std::string contents;
  bool is_fifo = false;  ///< a FIFO in its place: who opens it for reading waits for a writer that never comes
};

/// Mounts each over its path, from a tmpfs that nobody else has. For PID 1 of an arena with a mount namespace and a
/// private /proc, before anything runs in it; the namespace's end takes all of it away. Throws HarnessFailure.
void mount_overlays(std::span<const Overlay> overlays);

}  // namespace forkproof::arena
