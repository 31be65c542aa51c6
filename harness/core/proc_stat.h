#pragma once
#include <optional>
#include <string_view>

namespace forkproof {

/// What is asked of the one line in /proc/PID/stat or /proc/PID/task/TID/stat (`man 5 proc`). `name` is part of that line.
struct ProcStat {
  std::string_view name;
  char state = '?';
  int parent = 0, group = 0, session = 0;
  unsigned long flags = 0;                  ///< PF_... in the kernel's include/linux/sched.h
  unsigned long user_ticks = 0, system_ticks = 0;
  int threads = 0;
};

/// Empty for what is no such line, as of a process that is gone. Allocates nothing.
std::optional<ProcStat> parse_proc_stat(const char* line);

}  // namespace forkproof
