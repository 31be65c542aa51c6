#include "harness/core/duration.h"

#include <ctime>

#include <fmt/format.h>

namespace forkproof {

Nanos monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

std::string text(Nanos duration) {
  const double ms = static_cast<double>(duration.count()) / 1e6;
  const double size = ms < 0 ? -ms : ms;
  if (size < 10) return fmt::format("{:.2f} ms", ms);
  if (size < 100) return fmt::format("{:.1f} ms", ms);
  if (size < 1000) return fmt::format("{:.0f} ms", ms);
  if (size < 120'000) return fmt::format("{:.2f} s", ms / 1000);
  return fmt::format("{} min {} s", static_cast<long>(ms / 60'000), static_cast<long>(ms / 1000) % 60);
}

}  // namespace forkproof
