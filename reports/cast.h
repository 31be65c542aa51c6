#pragma once
#include <map>
#include <set>
#include <string>

#include "harness/core/history.h"

namespace forkproof::reports {

/// Who plays in a history: names for pids, as a reader wants them. Borrows nothing.
class Cast {
 public:
  explicit Cast(const History& history);
  /// "helper 4"; "PID 1" for the warden; "server" for a process outside.
  [[nodiscard]] std::string name(Pid pid) const;
  /// The role alone, or the name that the kernel has.
  [[nodiscard]] std::string role(Pid pid) const;
  [[nodiscard]] Pid warden() const { return warden_; }
  [[nodiscard]] Pid supervisor() const { return supervisor_; }
  /// Neither the subject nor of the tree.
  [[nodiscard]] bool is_stranger(Pid pid) const { return strangers_.contains(pid); }

 private:
  std::map<Pid, std::string> roles_;
  std::set<Pid> strangers_;
  Pid warden_ = warden_pid, supervisor_ = 0;
};

}  // namespace forkproof::reports
