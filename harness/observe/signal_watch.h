#pragma once
#include <map>
#include <optional>
#include <string>

#include "harness/core/event.h"

namespace forkproof::observe {

/// Watches what becomes of a signal that was sent to a process: it ends, or it is seen in /proc why it will
/// not. Passive; owned by the player.
class SignalWatch {
 public:
  void sent(Pid pid, const std::string& role, int signal);
  /// One look at everybody that a signal was sent to; a finding is given once for each. After 2 s without one
  /// it is told by the deadline, as not proved.
  std::optional<SignalWithoutEffect> look();
  void ended(Pid pid) { watched_.erase(pid); }

 private:
  struct Watched {
    std::string role;
    int signal = 0;
    Nanos since{};
    std::string last_look;
  };
  std::map<Pid, Watched> watched_;
};

}  // namespace forkproof::observe
