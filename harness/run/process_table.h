#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/core/event.h"
#include "harness/core/fd.h"

namespace forkproof::run {

/// One process that the warden knows by name.
struct Process {
  Pid pid = 0;
  Pid parent = 0;
  std::int32_t node = -1;
  std::string role;
  Fd pidfd;
  bool alive = true;
  bool ready = false;
};

/// Who is who in the arena. Passive. Pids are not reused within a run: PID namespaces count up.
class ProcessTable {
 public:
  Process& add(Process process);
  /// Null when nobody of that pid has been introduced.
  Process* find(Pid pid);
  /// Its role, or "pid N" for a stranger.
  [[nodiscard]] std::string role_of(Pid pid) const;
  /// Who is not known to have ended, in the order of their pids.
  [[nodiscard]] std::vector<Pid> living() const;
  [[nodiscard]] bool anyone_alive(const std::string& role) const;
  auto begin() { return processes_.begin(); }
  auto end() { return processes_.end(); }

 private:
  std::unordered_map<Pid, Process> processes_;
};

}  // namespace forkproof::run
