#include "reports/cast.h"

namespace forkproof::reports {

Cast::Cast(const History& history) {
  for (const Event& event : history.events()) {
    if (const auto* arena = event.as<ArenaOpened>()) warden_ = arena->warden;
    if (const auto* spawned = event.as<Spawned>()) {
      roles_.emplace(spawned->pid, spawned->role);
      if (spawned->node < 0) supervisor_ = spawned->pid;
    }
    if (const auto* census = event.as<CensusTaken>()) {
      for (const CensusEntry& entry : census->processes) roles_.emplace(entry.pid, entry.name);
    }
  }
}

std::string Cast::role(Pid pid) const {
  const auto found = roles_.find(pid);
  return found == roles_.end() ? "process" : found->second;
}

std::string Cast::name(Pid pid) const {
  if (pid == 0) return "server";
  if (pid == warden_) return "PID 1";
  return role(pid) + " " + std::to_string(pid);
}

}  // namespace forkproof::reports
