#include "harness/core/wait_status.h"

#include <cstring>

namespace forkproof {

std::string signal_name(int signal) {
  const char* abbreviation = sigabbrev_np(signal);
  return abbreviation ? std::string("SIG") + abbreviation : "signal " + std::to_string(signal);
}

std::string WaitStatus::text() const {
  return signalled() ? signal_name(signal()) : "exit " + std::to_string(code());
}

}  // namespace forkproof
