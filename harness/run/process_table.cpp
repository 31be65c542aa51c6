#include "harness/run/process_table.h"

#include <algorithm>

namespace forkproof::run {

Process& ProcessTable::add(Process process) {
  const Pid pid = process.pid;
  return processes_.insert_or_assign(pid, std::move(process)).first->second;
}

Process* ProcessTable::find(Pid pid) {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

std::string ProcessTable::role_of(Pid pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? "pid " + std::to_string(pid) : found->second.role;
}

std::vector<Pid> ProcessTable::living() const {
  std::vector<Pid> living;
  for (const auto& [pid, process] : processes_) {
    if (process.alive) living.push_back(pid);
  }
  std::sort(living.begin(), living.end());
  return living;
}

bool ProcessTable::anyone_alive(const std::string& role) const {
  for (const auto& [pid, process] : processes_) {
    if (process.alive && process.role == role) return true;
  }
  return false;
}

}  // namespace forkproof::run
