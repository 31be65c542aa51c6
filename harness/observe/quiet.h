#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/event.h"
#include "harness/core/fd.h"

namespace forkproof::observe {

/// One thread as the scheduler sees it: two looks that are the same mean that it has not run in between.
struct SeenThread {
  Pid pid = 0;
  int tid = 0;
  char state = '?';             ///< of /proc/PID/stat
  bool blocked = false;         ///< it runs no more until somebody else does something, or a time is over
  std::uint64_t turns = 0;      ///< on a processor, from /proc/PID/schedstat
  Nanos ran{};                  ///< in all of them, likewise
  friend bool operator==(const SeenThread&, const SeenThread&) = default;
};

/// The threads of the process whose folder of /proc this is; nothing when it is gone.
void look_into(int folder, Pid pid, std::vector<SeenThread>* seen);

/// Whether the arena has come to rest: everybody in it, known or not, is blocked in the kernel. Passive: asked again and
/// again. Two looks in a row must be the same, with everybody blocked in both: then there was a moment between them at
/// which all were blocked at once, and from there nobody goes on but by a timer, or by what the owner does.
class Quiet {
 public:
  /// `root`: the warden, who does not count; `sealed`: it has a PID namespace of its own. `outside`: folders of /proc of
  /// processes beyond it that count as well (the servers), open for as long as this lives.
  Quiet(bool sealed, Pid root, std::span<const Fd> outside) : sealed_(sealed), root_(root), outside_(outside) {}

  enum class Seen { moving, blocked, at_rest };
  /// `blocked`: all were, and the next look may show that they have been so since.
  Seen look();
  /// Somebody was let go: what was seen counts no more.
  void forget();
  /// For how long the busiest thread has had a processor since then: one that waits for its turn on a loaded machine will
  /// come to rest, and one that spins will not.
  [[nodiscard]] Nanos busiest() const { return busiest_; }

 private:
  bool sealed_;
  Pid root_;
  std::span<const Fd> outside_;
  std::vector<SeenThread> last_;
  bool last_blocked_ = false;
  std::map<std::pair<Pid, int>, Nanos> ran_before_;
  Nanos busiest_{};
};

}  // namespace forkproof::observe
