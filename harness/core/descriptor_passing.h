#pragma once
#include <sys/types.h>

#include <cstddef>

// Descriptors beside a message on a Unix socket (`man 7 unix`, SCM_RIGHTS). Async-signal-safe, and allocates nothing: the
// static task program does it too.

namespace forkproof {

/// Most descriptors that one message carries here.
inline constexpr std::size_t most_passed = 16;

/// Sends `size` bytes and `count` descriptors, at most `most_passed`, as one message. False with errno when not all went.
bool send_with_descriptors(int socket, const void* bytes, std::size_t size, const int* fds, std::size_t count) noexcept;

/// Receives at most `size` bytes; those descriptors that came with them go into `fds` (room for `most_passed`),
/// close-on-exec and the caller's to close, and how many into `count`. What recvmsg gives: 0 at the end, -1 with errno.
ssize_t receive_with_descriptors(int socket, void* bytes, std::size_t size, int flags, int* fds, std::size_t* count) noexcept;

}  // namespace forkproof
