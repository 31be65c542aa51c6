#pragma once
#include <cstdint>
#include <string>

#include "harness/core/duration.h"
#include "harness/core/event.h"

namespace forkproof::observe {

/// For how long the main thread of a process has computed and done nothing else: it never slept, and neither a look nor the
/// kernel's counters show a system call. No proof of anything: a spin lock without its owner looks so, and so does honest work.
/// A value, kept from look to look.
class Computing {
 public:
  /// One look, which found the main thread blocked or running; `looks` that found it so, this one included. Reads more only
  /// now and then, of a thread that runs.
  void look(Pid pid, bool blocked, std::uint64_t looks);
  /// The CPU time of the stretch until now; 0 when something else was done meanwhile.
  [[nodiscard]] Nanos so_far(Pid pid) const;

 private:
  struct Counters {
    Nanos ran{};                      ///< of the main thread
    std::uint64_t system_ticks = 0;   ///< likewise
    std::uint64_t pauses = 0;         ///< how often it gave the processor back
    std::uint64_t transfers = 0;      ///< read and write calls of the process
    [[nodiscard]] bool only_ran_since(const Counters& before) const;
  };
  static bool read(Pid pid, Counters* counters);

  bool computes_ = false;
  Counters began_;
};

/// "running: 2.31 s of CPU time, no system call seen", of the main thread or of another one; empty when none runs now.
std::string running_text(Pid pid, const Computing& main);

}  // namespace forkproof::observe
