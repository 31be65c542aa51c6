#pragma once
#include <chrono>
#include <string>

namespace forkproof {

using Nanos = std::chrono::nanoseconds;

/// CLOCK_MONOTONIC now. The same clock in every process of a run: no time namespace is used.
Nanos monotonic_now();

/// For people: "0.31 ms", "24.0 ms", "5.02 s", "2 min 5 s".
std::string text(Nanos duration);

/// A real-world constant under a time scale: 5 s at 0.002 are 10 ms.
inline Nanos scaled(Nanos real, double scale) {
  return Nanos(static_cast<Nanos::rep>(static_cast<double>(real.count()) * scale));
}

inline constexpr double in_seconds(Nanos duration) { return static_cast<double>(duration.count()) / 1e9; }
/// Rounded to the nearest nanosecond, so that `from_seconds(in_seconds(d))` is `d`.
inline constexpr Nanos from_seconds(double seconds) {
  return Nanos(static_cast<Nanos::rep>(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5)));
}

}  // namespace forkproof
