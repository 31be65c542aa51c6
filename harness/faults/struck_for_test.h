#pragma once
#include <string>
#include <utility>
#include <vector>

#include "harness/faults/fault.h"

namespace forkproof::faults {

/// What a fault has said.
struct Struck final : Strike {
  void established(const std::string& what) override { proof = what; }
  void fired(const std::string&) override { ++times_fired; }
  void asks_teardown(const std::string&, const char* = cause::asked) override {}
  void signal(Pid target, int signal) override { signals.emplace_back(target, signal); }
  void probed(const std::string&, const std::string&, bool) override {}
  [[nodiscard]] int stdout_reader() const override { return reader; }
  void give_up(const std::string& because) override { given_up = because; }
  std::string proof, given_up;
  int times_fired = 0;
  std::vector<std::pair<Pid, int>> signals;
  int reader = -1;  ///< of the subject's stdout
};

}  // namespace forkproof::faults
