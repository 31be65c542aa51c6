#include "harness/core/verdict.h"

namespace forkproof {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::held: return "held";
    case Outcome::skipped: return "skipped";
    case Outcome::unknown: return "unknown";
    case Outcome::broken: return "broken";
  }
  return "unknown";
}

}  // namespace forkproof
