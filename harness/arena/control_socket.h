#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

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
/// takes messages until there are none. It never waits for anybody: who has connected may be kept from sending by a stop
/// that only the owner can end, as its tracer.
class ControlSocket {
 public:
  /// Listens under a name that is free in this network namespace; throws HarnessFailure.
  explicit ControlSocket(const ControlAddress& address);
  /// Readable when somebody has connected, spoken or ended.
  [[nodiscard]] int fd() const { return events_.get(); }
  /// The next message that has arrived; empty when none is waiting. What was sent before another connected comes first.
  std::optional<Message> take();
  /// Who has connected, has sent nothing yet, and is still there. As of the last `take` that found nothing.
  [[nodiscard]] std::vector<Pid> silent() const;

 private:
  bool accept_one();

  Fd listener_;
  Fd events_;                      // epoll: the listener, and whoever has connected
  std::deque<Message> connected_;  // in the order in which they connected; nobody here has spoken yet
};

/// A control address that nobody else uses, also where arenas share a network namespace.
ControlAddress fresh_control_address();

}  // namespace forkproof::arena
