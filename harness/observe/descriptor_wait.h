#pragma once
#include <vector>

#include "harness/observe/waits.h"

namespace forkproof::observe {

/// A descriptor on which a thread waits, and for what. -1: an epoll set holds its file, and the process has closed it.
struct Awaited {
  int fd = -1;
  bool input = true;
  bool room = false;
};

/// What would end a wait on it. Pipes and pairs of sockets lead to the processes that hold the other end. Whatever a
/// process beyond the arena could reach is open: named pipes, sockets with an address, terminals, inotify.
std::vector<Source> sources_of(const Standing& standing, const Awaited& awaited, const Surroundings& around);

/// The descriptors in an epoll set. Those that the process has closed or replaced since have no number (-1).
std::vector<Awaited> in_epoll_set(Pid pid, int epoll);

/// "fd 3 (pipe:[5])".
std::string words_for(Pid pid, const Awaited& awaited);

}  // namespace forkproof::observe
