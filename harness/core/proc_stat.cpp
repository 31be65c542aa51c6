#include "harness/core/proc_stat.h"

#include <cstdio>
#include <cstring>

namespace forkproof {

std::optional<ProcStat> parse_proc_stat(const char* line) {
  const char* open = std::strchr(line, '(');
  const char* close = std::strrchr(line, ')');  // the name may hold either
  if (open == nullptr || close == nullptr || close < open) return std::nullopt;
  ProcStat stat;
  stat.name = {open + 1, static_cast<std::size_t>(close - open - 1)};
  // Fields 3 to 6, 9, 14, 15 and 20.
  const int fields = std::sscanf(close + 1, " %c %d %d %d %*d %*d %lu %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %d", &stat.state, &stat.parent,
                                 &stat.group, &stat.session, &stat.flags, &stat.user_ticks, &stat.system_ticks, &stat.threads);
  return fields == 8 ? std::optional(stat) : std::nullopt;
}

}  // namespace forkproof
