#pragma once
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace forkproof::adversary {

/// The same choices for the same seed and number, on every machine. Passive.
class Chance {
 public:
  Chance(std::uint64_t seed, std::uint64_t number) : engine_(seed * 0x9e3779b97f4a7c15ULL ^ (number + 1) * 0xbf58476d1ce4e5b9ULL) {}
  /// From 0 to `end` - 1; 0 where `end` is 0.
  std::size_t below(std::size_t end) { return end == 0 ? 0 : static_cast<std::size_t>(engine_() % end); }
  bool one_in(std::size_t times) { return below(times) == 0; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace forkproof::adversary
