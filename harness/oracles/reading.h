#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>

#include "harness/core/history.h"

namespace forkproof::oracles {

/// A history read once for what several oracles ask. Borrows the history.
class Reading {
 public:
  explicit Reading(const History& history);

  /// The index of the first event of this kind that satisfies `wanted`.
  template <class Kind, class Wanted>
  [[nodiscard]] std::optional<std::size_t> first(Wanted wanted) const {
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const Kind* event = history_[i].as<Kind>();
      if (event != nullptr && wanted(*event)) return i;
    }
    return std::nullopt;
  }
  template <class Kind>
  [[nodiscard]] std::optional<std::size_t> first() const {
    return first<Kind>([](const Kind&) { return true; });
  }
  /// The index of the last one.
  template <class Kind, class Wanted>
  [[nodiscard]] std::optional<std::size_t> last(Wanted wanted) const {
    for (std::size_t i = history_.size(); i-- > 0;) {
      const Kind* event = history_[i].as<Kind>();
      if (event != nullptr && wanted(*event)) return i;
    }
    return std::nullopt;
  }
  template <class Kind>
  [[nodiscard]] const Kind& at(std::size_t index) const {
    return std::get<Kind>(history_[index].what);
  }
  [[nodiscard]] Nanos time(std::size_t index) const { return history_[index].at; }

  /// The supervisor's pid and its end; the task's (the tree's root).
  [[nodiscard]] Pid supervisor() const { return supervisor_; }
  [[nodiscard]] std::optional<std::size_t> supervisor_end() const { return exit_of(supervisor_); }
  [[nodiscard]] Pid task() const { return task_; }
  /// The subject is a command, that tells nothing of itself.
  [[nodiscard]] bool is_command() const;
  /// The event from which on a teardown is owed: the last, where a command that started its task again was asked anew.
  [[nodiscard]] std::optional<std::size_t> asked() const;
  /// The last of these that the subject owes an end for: a command only where somebody asked it to end.
  [[nodiscard]] std::optional<std::size_t> owed() const;
  /// The server has refused to have the task started, so no tree has to come up.
  [[nodiscard]] std::optional<std::size_t> refused_start() const;
  /// The processes that start and watch the task for a command: its first process, and those between it and the task.
  [[nodiscard]] std::set<Pid> supervising() const;
  /// The program that a process ran last, by its path; empty where nobody saw it.
  [[nodiscard]] std::string program_of(Pid pid) const;
  /// The time between two events, never below zero: what is seen later may have come first.
  [[nodiscard]] Nanos between(std::size_t from, std::size_t to) const { return std::max(Nanos{}, time(to) - time(from)); }
  /// The SIGKILL that the rig itself sent to the supervisor, which could do nothing any more from then on.
  [[nodiscard]] std::optional<std::size_t> killed_from_outside() const;
  [[nodiscard]] std::optional<std::size_t> exit_of(Pid pid) const;
  /// The end of the tree's root; of the last, where it was started again.
  [[nodiscard]] std::optional<std::size_t> last_exit_of_task() const;
  [[nodiscard]] Pid warden() const { return warden_; }
  /// The parent of a process at the time of an event, by all that was told until then.
  [[nodiscard]] Pid parent_at(Pid pid, std::size_t index) const;

  /// "helper (pid 4)".
  [[nodiscard]] std::string who(Pid pid) const;
  /// What the machine lost, by the canary, between two events.
  [[nodiscard]] Nanos machine_late(std::size_t from, std::size_t to) const;

 private:
  const History& history_;
  Pid supervisor_ = 0, task_ = 0, warden_ = warden_pid;
};

}  // namespace forkproof::oracles
