#pragma once
#include <map>
#include <optional>

#include "harness/core/duration.h"
#include "harness/core/event.h"

namespace forkproof::observe {

/// How long a process has been ready to run and had no processor, since its birth: the second number of
/// /proc/PID/schedstat (`Documentation/scheduler/sched-stats.rst`), of its main thread, also of a zombie. Empty when it is gone.
std::optional<Nanos> run_delay(Pid pid);

/// The time that a machine with too much to do has taken from a supervisor and its tree. A canary of PID 1's own cannot tell:
/// who sleeps most is given the processor first. Passive; looked with again and again.
class Starvation {
 public:
  /// From now on.
  void begin() { seen_.clear(); }
  /// `main`: on whom all wait.
  void look(Pid pid, bool main);
  /// The main one's, and the longest of any other: at one time it waits for one of them.
  [[nodiscard]] Nanos so_far() const;

 private:
  struct Seen {
    Nanos first, last;
    bool main;
  };
  std::map<Pid, Seen> seen_;
};

}  // namespace forkproof::observe
