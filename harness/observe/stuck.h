#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "harness/core/duration.h"
#include "harness/core/event.h"

namespace forkproof::observe {

/// Why a process cannot go on.
struct Finding {
  std::string how;      ///< as in Stuck
  bool proved = false;
  Nanos since{};        ///< CLOCK_MONOTONIC of the first look that showed it
  std::string because;
};

/// Looks at processes again and again, cheaply (one small file each where all is well), and finds those that cannot
/// go on. The kinds are in stuck/, one file each. It reads /proc from outside and allocates nothing that the subject
/// could hold. Passive; owned by the player.
class StuckWatch {
 public:
  /// `sealed` and `root` as in everybody().
  StuckWatch(bool sealed, Pid root);
  ~StuckWatch();
  StuckWatch(const StuckWatch&) = delete;
  StuckWatch& operator=(const StuckWatch&) = delete;

  /// One look. A finding is given once for each process and kind; after one that is proved nothing more is looked for.
  std::optional<Finding> look(Pid pid);
  /// What it is doing, where a deadline has passed without a proof: "state S, thread 2 in system call 0".
  [[nodiscard]] std::string describe(Pid pid) const;
  /// "running: 2.31 s of CPU time, no system call seen"; empty when nothing of it runs. A process that computes is not stuck.
  [[nodiscard]] std::string running(Pid pid) const;
  /// It has ended: its number may be given anew.
  void forget(Pid pid);

 private:
  struct Record;
  bool sealed_;
  Pid root_;
  std::map<Pid, std::unique_ptr<Record>> records_;
  std::map<Pid, Finding> found_;
};

}  // namespace forkproof::observe
