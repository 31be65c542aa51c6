#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/observe/stuck.h"
#include "harness/observe/threads.h"

// One kind of being stuck a file: a function from a glance to a symptom, and a row in kinds.def. A kind reads what it
// needs beyond the glance itself, cheapest first, since all of them look at all processes every millisecond: the main
// thread's system call, which is in the glance, turns nearly everybody away.

namespace forkproof::observe {

/// One look at a process.
struct Glance {
  Pid pid = 0;
  const Thread& main;
  Nanos now{};
  Nanos since{};              ///< of the first look that showed the main thread in this very call
  std::uint64_t looks = 1;    ///< that have shown it so, this one included
  const std::map<Pid, Finding>& found;  ///< who was found stuck before
  bool sealed = true;         ///< as in everybody()
  Pid root = 0;               ///< likewise

  /// For what costs some reads more: every 16th look.
  [[nodiscard]] bool now_and_then() const { return looks % 16 == 0; }
  /// For what reads much of /proc: at the looks 1, 2, 4, 8 and so on, and from 1024 on at its multiples.
  [[nodiscard]] bool ever_more_seldom() const { return looks % 1024 == 0 || (looks & (looks - 1)) == 0; }
};

/// What a kind sees in it.
struct Symptom {
  bool proved = false;   ///< it cannot go on, whatever the time
  std::string because;
  Nanos at_least{};      ///< told only when the main thread has been in this call for so long
};

/// One row of kinds.def.
struct StuckKind {
  std::string_view key;  ///< `how` of the event
  std::optional<Symptom> (*look)(const Glance&);
};
std::span<const StuckKind> stuck_kinds();

/// A handler of the process's own could run, and wake a thread or leave its wait. Signals that only the process's own
/// instructions raise do not count, since it executes none.
bool a_handler_could_run(Pid pid);

}  // namespace forkproof::observe
