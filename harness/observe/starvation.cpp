#include "harness/observe/starvation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"

namespace forkproof::observe {

std::optional<Nanos> run_delay(Pid pid) {
  const Fd file = open_proc("/proc/" + std::to_string(pid) + "/schedstat");
  char text[96];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) return std::nullopt;
  text[got] = '\0';
  char* delay = nullptr;
  (void)std::strtoll(text, &delay, 10);  // the time that it ran
  return Nanos(std::strtoll(delay, nullptr, 10));
}

void Starvation::look(Pid pid, bool main) {
  const auto delay = run_delay(pid);
  if (delay) seen_.try_emplace(pid, Seen{*delay, *delay, main}).first->second.last = *delay;
}

Nanos Starvation::so_far() const {
  Nanos mains{}, others{};
  for (const auto& [pid, seen] : seen_) {
    Nanos& longest = seen.main ? mains : others;
    longest = std::max(longest, seen.last - seen.first);
  }
  return mains + others;
}

}  // namespace forkproof::observe
