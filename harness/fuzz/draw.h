#pragma once
#include <rapidcheck.h>

#include <cstdint>
#include <utility>
#include <vector>

// What every generator here is made of. All draw from rapidcheck's own counter-based random numbers, which are the same
// on every machine; the distributions of <random> are not, and nothing here uses them.

namespace forkproof::fuzz {

/// True in `percent` of a hundred cases. Inside a generator (rc::gen::exec).
inline bool chance(int percent) { return *rc::gen::inRange(0, 100) < percent; }

/// From `least` to `most`, both included.
inline std::int64_t between(std::int64_t least, std::int64_t most) { return *rc::gen::inRange(least, most + 1); }

template <class Value>
Value one_of(const std::vector<Value>& values) {
  return values[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(values.size()) - 1))];
}

/// One of the values, each as often as its weight says.
template <class Value>
Value weighted(const std::vector<std::pair<int, Value>>& choices) {
  int sum = 0;
  for (const auto& [weight, value] : choices) sum += weight;
  std::int64_t drawn = between(0, sum - 1);
  for (const auto& [weight, value] : choices) {
    if ((drawn -= weight) < 0) return value;
  }
  return choices.back().second;
}

}  // namespace forkproof::fuzz
