#pragma once
#include <optional>
#include <string>

#include "harness/core/event.h"
#include "harness/core/fd.h"
#include "harness/core/sync_point.h"

namespace forkproof::arena {

/// One announcement as it arrived. Passive. Held until `answer` is called or it is dropped, which also lets the
/// process go (with an error that it ignores).
struct Message {
  Fd connection;
  Pid pid = 0;  ///< by the kernel's word (SO_PEERCRED); 0 for a process outside the PID namespace
  Announcement head;
  std::string payload;

  void answer(const Orders& orders = {}) const;
  /// A pidfd of who sent it, bound by the kernel when it connected (SO_PEERPIDFD, Linux 6.5; since 6.16 also of one that
  /// has been reaped by now). Where the kernel has none to give, by `pid`: empty when the process is gone.
  [[nodiscard]] Fd open_pidfd() const;
};

/// The warden's end of the sync points: a listening socket with an abstract name. Passive: the owner polls `fd` and
/// takes messages until there are none.
class ControlSocket {
 public:
  /// Listens under a name that is free in this network namespace; throws HarnessFailure.
  explicit ControlSocket(const ControlAddress& address);
  [[nodiscard]] int fd() const { return listener_.get(); }
  /// The next message that has arrived; empty when none is waiting.
  std::optional<Message> take();

 private:
  Fd listener_;
};

/// A control address that nobody else uses, also where arenas share a network namespace.
ControlAddress fresh_control_address();

}  // namespace forkproof::arena
