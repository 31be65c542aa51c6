#pragma once
#include <optional>
#include <string>

#include "reports/cast.h"

namespace forkproof::reports {

/// One event as a sentence for people: who did what. Empty for events that tell a reader nothing.
struct Line {
  std::string who;
  std::string what;
};
std::optional<Line> told(const Happening& what, const Cast& cast);

}  // namespace forkproof::reports
