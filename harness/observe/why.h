#pragma once
#include <map>
#include <string>
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

/// What was seen of a process before now, and /proc no longer shows: who started it, and what the rig calls it. Of the dead
/// too, since they are who started the others.
struct Acquaintance {
  Pid starter = 0;   ///< 0: nobody saw it
  std::string name;  ///< a role, or its program's name
};
using Acquaintances = std::map<Pid, Acquaintance>;

/// Of whom it is asked why they are still there, at most this many are answered; the others are counted.
inline constexpr std::size_t most_explained = 24;

/// Why are they still there? For each: who started it and whose child it is now, its signals, what it is stuck in and on
/// whom it waits (followed to the end of the chain, or round a cycle), and which pipes and sockets it keeps open that
/// others wait for. From one walk over /proc and kcmp, without touching anybody. `sealed` and `root` as in everybody().
Explained explain(const std::string& when, const std::vector<Pid>& about, const Acquaintances& known, bool sealed, Pid root);

}  // namespace forkproof::observe
