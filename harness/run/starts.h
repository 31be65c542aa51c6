#pragma once
#include <map>
#include <optional>

#include "harness/core/event.h"

namespace forkproof::run {

/// How often each node of the tree was started, where somebody else starts them: the first process that says hello for a
/// node is that node, and a later one is that node started again. Passive.
class Starts {
 public:
  /// A process new to the run said hello for a node.
  std::optional<Restarted> said_hello(std::int32_t node, Pid pid, Pid parent, Nanos when) {
    Start& start = starts_[node];
    const bool again = ++start.count > 1;
    const Nanos after = start.alive ? Nanos{} : when - start.ended;
    start.pid = pid, start.alive = true;
    if (!again) return std::nullopt;
    return Restarted{parent, pid, node, start.count, after};
  }
  void ended(std::int32_t node, Pid pid, Nanos when) {
    const auto found = starts_.find(node);
    if (found != starts_.end() && found->second.pid == pid) found->second.alive = false, found->second.ended = when;
  }

 private:
  struct Start {
    std::int64_t count = 0;
    Pid pid = 0;
    bool alive = false;
    Nanos ended{};
  };
  std::map<std::int32_t, Start> starts_;
};

}  // namespace forkproof::run
