#pragma once
#include <string>
#include <vector>

#include "harness/core/event.h"
#include "harness/core/history.h"

namespace forkproof::fuzz {

/// One passing of a sync point, counted for each process and point from 1.
struct Passing {
  Pid pid = 0;
  std::int32_t node = -1;
  std::string role;
  std::string point;
  int number = 1;
  friend bool operator==(const Passing&, const Passing&) = default;
};
/// "task-runner(3) passes "forked"", with "for the 2nd time" where that is so.
std::string text(const Passing& passing);

/// An order that differs from a run's in one decision: `sooner` goes where `later` went, which goes after it.
struct Exchange {
  std::string schedule;
  std::size_t decision = 0;  ///< from 1
  Passing sooner, later;
};
/// "task-runner(3) passes "forked" before supervisor(2) passes "signalling"".
std::string text(const Exchange& exchange);

/// Every single exchange in the order of a run, the latest decision first: what broke last is the likeliest to have
/// broken it. Pure. Empty for a run without decisions.
std::vector<Exchange> exchanges_in(const History& history);

}  // namespace forkproof::fuzz
