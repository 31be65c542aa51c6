#pragma once
#include <sys/wait.h>

#include <string>

namespace forkproof {

/// The kernel's raw wait status (`man 2 wait`) with named questions instead of macros. A value.
class WaitStatus {
 public:
  WaitStatus() = default;
  explicit WaitStatus(int raw) : raw_(raw) {}
  /// What a process that returned `code` leaves behind.
  static WaitStatus exited_with(int code) { return WaitStatus((code & 0xff) << 8); }
  /// What a process that died of `signal` leaves behind.
  static WaitStatus killed_by(int signal) { return WaitStatus(signal & 0x7f); }

  [[nodiscard]] bool exited() const { return WIFEXITED(raw_); }
  [[nodiscard]] bool signalled() const { return WIFSIGNALED(raw_); }
  [[nodiscard]] int code() const { return WEXITSTATUS(raw_); }
  [[nodiscard]] int signal() const { return WTERMSIG(raw_); }
  [[nodiscard]] bool success() const { return exited() && code() == 0; }
  [[nodiscard]] int raw() const { return raw_; }
  /// The same end, whether or not a core was dumped.
  [[nodiscard]] bool same_end(WaitStatus other) const { return (raw_ & ~0x80) == (other.raw_ & ~0x80); }
  /// "exit 3", "SIGKILL".
  [[nodiscard]] std::string text() const;

  friend bool operator==(WaitStatus, WaitStatus) = default;

 private:
  int raw_ = 0;
};

/// "SIGTERM" for 15; "signal 40" for a number without a name.
std::string signal_name(int signal);

}  // namespace forkproof
