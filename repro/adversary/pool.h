#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "repro/adversary/reader.h"

namespace forkproof::adversary {

struct Orders {
  const ReaderRow* reader = nullptr;
  std::string corpus;
  std::string keep;  ///< the folder for inputs that failed
  std::uint64_t seed = 1, from = 0, count = 1'000;
  unsigned jobs = 1;
  std::chrono::seconds hang_after{60};
};

struct Tally {
  std::uint64_t inputs = 0, read = 0, refused = 0;
  std::size_t longest_refusal = 0;
  std::map<std::string, std::uint64_t> failures;  ///< how many of each kind
  std::chrono::nanoseconds took{};
};

/// Gives a reader its inputs in processes of their own, so that a crash or a hang is that of one input: it is kept, and the
/// next process goes on behind it. Blocks until all are through.
Tally run(const Orders& orders);

}  // namespace forkproof::adversary
