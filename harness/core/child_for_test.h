#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <type_traits>

#include "harness/core/fd.h"

// What many tests need: somebody else, and a way to hear of him.

namespace forkproof {

/// A child that runs `body` and ends with its result, or with 0 where it has none. Killed and reaped at the end of its scope.
class Child {
 public:
  template <class Body>
  explicit Child(const Body& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    if constexpr (std::is_void_v<decltype(body())>) body(), ::_exit(0);
    else ::_exit(body());
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

struct Pipe {
  Fd reader, writer;
  explicit Pipe(int flags = O_CLOEXEC) {
    int ends[2];
    if (::pipe2(ends, flags) == 0) reader.reset(ends[0]), writer.reset(ends[1]);
  }
  void tell(const std::string& text) const { [[maybe_unused]] const auto wrote = ::write(writer.get(), text.data(), text.size()); }
  /// Blocks until there is a byte: somebody is that far. False when nobody will be.
  bool wait() const {
    char byte = 0;
    return ::read(reader.get(), &byte, 1) == 1;
  }
  /// Blocks until the last holder of the writing end is gone; what was written until then.
  std::string rest() {
    writer.reset();
    std::string text;
    char block[4096];
    for (ssize_t got; (got = ::read(reader.get(), block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(got));
    return text;
  }
};

}  // namespace forkproof
