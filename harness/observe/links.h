#pragma once
#include <functional>
#include <string>
#include <vector>

#include "harness/observe/standstill.h"

namespace forkproof::observe {

using Namer = std::function<std::string(Pid)>;

/// What a process waits for, in a sentence without its subject, and the process that is looked at next.
struct Link {
  std::string text;
  Pid next = 0;             ///< 0: no process
  bool for_its_end = false;  ///< it waits for the end of `next`
};

/// Where one event alone would wake it: that event, and a process that could bring it on. Else: "any of these would wake
/// it", and the one process among them whose end, lock or channel it waits for.
Link link_from(Standstill& still, Pid pid, Pid root, const Namer& name);

/// "A waits for the end of B; B waits for room in pipe:[5], which A can read": what a circle is made of.
std::string in_words(Standstill& still, const std::vector<Pid>& circle, Pid root, const Namer& name);

}  // namespace forkproof::observe
