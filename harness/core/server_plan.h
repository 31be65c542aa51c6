#pragma once
#include <map>
#include <string>

namespace forkproof {

/// What the heartbeat server answers. A value, made on the stage before anything runs.
struct ServerPlan {
  bool wanted = true;
  int heartbeat_status = 204;           ///< to each heartbeat without an entry below
  std::map<int, int> from_heartbeat;    ///< status from the n-th heartbeat on; 3 -> 409 is the plan 204,204,409
  int run_status = 204;                 ///< PATCH /run: the task starts
  int state_status = 204;               ///< PATCH /state: the final state

  [[nodiscard]] int heartbeat(int number) const {
    const auto next = from_heartbeat.upper_bound(number);
    return next == from_heartbeat.begin() ? heartbeat_status : std::prev(next)->second;
  }
};

}  // namespace forkproof
