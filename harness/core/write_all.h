#pragma once
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "harness/core/error.h"

namespace forkproof {

/// Writes it to its end, however many calls that takes. False with errno when it cannot (`man 2 write`).
inline bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// Why a place for results could not be had, from the errno: a full or broken disk fails the harness (70),
/// all else is a name that cannot be used (64).
[[noreturn]] inline void refuse_place(const std::string& what, int error = errno) {
  if (error == ENOSPC || error == EDQUOT || error == EIO) fail(what, error);
  throw BadInput(error_text(what, error));
}

}  // namespace forkproof
