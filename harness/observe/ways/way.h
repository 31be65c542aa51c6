#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/arena/warden.h"
#include "harness/core/event.h"

// One way to see processes that announce nothing themselves a file, and a row in ways.def.

namespace forkproof::observe {

class SignalTrace;

/// What comes from outside the arena for those ways that need it: opened before the namespaces were made. Passive.
struct Outlook {
  int connector = -1;  ///< a socket that listens to the process connector, or -1 ...
  std::string refusal; ///< ... and why there is none
  int proc = -1;       ///< /proc of the first PID namespace, as a directory
  const SignalTrace* signals = nullptr;  ///< null when nobody asked for signals
};

/// Where an observer stands.
struct Post {
  arena::Warden& warden;
  const Outlook& outlook;
  bool sealed = true;  ///< the arena has a PID namespace
  /// Gets Spawned (stranger_node), Execed, SignalSeen and Exited of everybody below this process, with pids of this
  /// namespace, as they are seen; the end of a child of this process it may leave to who reaps it.
  std::function<void(Happening)> tell;
};

/// Sees what the processes of the arena do. Active through the warden's loop; owned by who wants to see, and outlived by
/// the warden.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Before the subject is forked. Empty, or why this way cannot be had here.
  virtual std::string prepare() { return {}; }
  /// The subject exists, and waits to be let go. Empty, or why it cannot be seen.
  virtual std::string attach(Pid /*subject*/) { return {}; }
  /// What it misses here beyond what ways.def says, and why; empty when nothing.
  [[nodiscard]] virtual std::string misses_here() const { return {}; }
  /// PID 1 has reaped a child of its own: that pid may be given anew.
  virtual void reaped(Pid /*pid*/) {}
  /// How much is known to have been missed by now, in words; empty when nothing.
  [[nodiscard]] virtual std::string missed() const { return {}; }
};

/// One row of ways.def, in the order of preference.
struct Way {
  std::string_view key;
  std::string_view sees;
  std::string_view misses;
  std::unique_ptr<Observer> (*make)(const Post&);
};
std::span<const Way> ways();
const Way* find_way(std::string_view key);

}  // namespace forkproof::observe
