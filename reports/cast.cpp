#include "reports/cast.h"

namespace forkproof::reports {

Cast::Cast(const History& history) {
  for (const Event& event : history.events()) {
    if (const auto* arena = event.as<ArenaOpened>()) warden_ = arena->warden;
    if (const auto* spawned = event.as<Spawned>()) {
      // A stranger goes by its program's name, until it turns out to be of the tree.
      if (spawned->node != stranger_node) roles_[spawned->pid] = spawned->role, strangers_.erase(spawned->pid);
      else if (roles_.emplace(spawned->pid, spawned->role).second) strangers_.insert(spawned->pid);
      if (spawned->node == supervisor_node) supervisor_ = spawned->pid;
    }
    if (const auto* execed = event.as<Execed>(); execed != nullptr && strangers_.contains(execed->pid)) {
      roles_[execed->pid] = execed->program.substr(execed->program.rfind('/') + 1);
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
