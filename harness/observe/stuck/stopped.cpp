// State T. Whoever stopped it may let it go on, so this is no proof, and a short stop is everyday job control; but one
// that lasts is worth saying, since no signal but SIGCONT and SIGKILL reaches the process meanwhile.
#include "harness/observe/proc.h"
#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {

std::optional<Symptom> stopped(const Glance& glance) {
  constexpr Nanos a_while = std::chrono::seconds(1);
  if (!glance.main.blocked || !glance.now_and_then()) return std::nullopt;
  const auto look = look_at(glance.pid);
  if (!look || !is_stopped(glance.pid, look->entry.state)) return std::nullopt;
  return Symptom{false, "it was stopped by a signal and makes no progress until SIGCONT", a_while};
}

}  // namespace forkproof::observe
