#include <csignal>
#include <cstdlib>

#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {

#define FORKPROOF_STUCK(name, key, about) std::optional<Symptom> name(const Glance& glance);
#include "harness/observe/stuck/kinds.def"
#undef FORKPROOF_STUCK

std::span<const StuckKind> stuck_kinds() {
  static constexpr StuckKind rows[] = {
#define FORKPROOF_STUCK(name, key, about) {key, name},
#include "harness/observe/stuck/kinds.def"
#undef FORKPROOF_STUCK
  };
  return rows;
}

bool a_handler_could_run(Pid pid) {
  unsigned long long caught = std::strtoull(status_field(pid, "SigCgt").c_str(), nullptr, 16);
  // 32 and 33 are libc's own, for cancelling and for setuid, sent by other threads of the process.
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, 32, 33}) caught &= ~(1ULL << (own - 1));
  return caught != 0;
}

}  // namespace forkproof::observe
