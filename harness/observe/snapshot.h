#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/core/event.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {

/// A pipe or a socket, by its inode in the kernel's own file system for its kind.
struct Channel {
  bool socket = false;
  std::uint64_t inode = 0;
  friend auto operator<=>(const Channel&, const Channel&) = default;
  [[nodiscard]] std::string name() const;  ///< as /proc/PID/fd names it: "pipe:[123]"
};

/// A descriptor that is a pipe or a socket.
struct OpenChannel {
  int fd = -1;
  Channel channel;
};

/// One process at the time of the walk: who it is, and which pipes and sockets it holds.
struct Standing {
  Pid pid = 0;
  bool identified = false;      ///< the fields of the next two lines have been read
  Pid parent = 0, group = 0, session = 0, tracer = 0;
  int threads = 1;
  std::string name, state;
  Thread main;                  ///< what its main thread is in: read when somebody asks, not in the walk
  std::vector<OpenChannel> channels;
  std::vector<int> eventfds, timerfds;
  bool io_uring = false;        ///< the kernel may act for it, out of sight
  bool channels_read = false;  ///< false: /proc would not show them (another user's process)
};

/// Everybody in one walk over /proc, with as few reads as answer who holds what: one for each folder of descriptors and one
/// for each descriptor. A value. `sealed` and `root` as in everybody(), but root is among them.
std::unordered_map<Pid, Standing> walk(bool sealed, Pid root);

/// Who it is, from /proc/PID/stat, read once; what the walk leaves out, since few are asked for it.
void identify(Standing* standing);

/// What can be done with a descriptor, as the mode of /proc/PID/fd/FD shows it (`man 5 proc`).
struct Ends {
  bool reads = false, writes = false;
};
Ends ends_of(Pid pid, int fd);

/// Flags of a descriptor's open file description, and close-on-exec (O_CLOEXEC), from /proc/PID/fdinfo. -1: not to be had.
long descriptor_flags(Pid pid, int fd);
/// All lines of /proc/PID/fdinfo/FD that begin with this key, without it.
std::vector<std::string> descriptor_details(Pid pid, int fd, const std::string& key);

}  // namespace forkproof::observe
