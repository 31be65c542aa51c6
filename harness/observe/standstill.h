#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/observe/channels.h"
#include "harness/observe/quiet.h"
#include "harness/observe/snapshot.h"
#include "harness/observe/waits.h"

namespace forkproof::observe {

// Which processes of an arena can go on, and which cannot. The words used here and by all that build on it:
//  - A process *goes on* when a thread of it returns from its wait, or runs a signal handler. To be killed is not to go on.
//  - It *can go on* when some source of some thread, or a handler, is open: time, the network, files, terminals, what this
//    program does not follow, PID 1 (the rig); or when a process that can go on could bring one of its sources on. A signal
//    that it handles could come from any process that can go on.
//  - A person outside who sends a signal by hand, and the rig's own signals, do not count: nothing in the arena ends without
//    them, and that is what is asked.
//  - A *circle* is a set of processes that wait for each other: none can go on, each waits for processes, all of which are in
//    the set. An idle process that waits for a signal alone is in none, nor is a process that waits for an idle one.
//    A handled signal is often what an idle process really waits for. So a process that waits on a set of descriptors, and
//    handles a signal, is in no circle. Nor is one that waits for itself alone, on a set or for its own threads: that is how
//    an event loop looks that has nothing to do. A process that waits in one call (wait4, read) may handle signals if they come from a
//    keyboard only, or if a process of the circle waits for room in a pipe or for a lock: that work is half done, not idle.
//    No alarm(2) may be set, since the end of one process would wake the others.
//  - The arena is at a *standstill* when no process can go on, and no alarm(2) or timer is about to kill one.
// All this is read one after the other, so it counts only if no thread concerned has run from before the first reading to
// after the last.

/// One moment of an arena, as far as it is asked for: each process is looked at when its turn comes. Single use.
class Standstill {
 public:
  /// `sealed` and `root` as in everybody().
  Standstill(bool sealed, Pid root);

  /// The processes that wait for each other, this one among them or waiting for them; empty when there is no such circle.
  std::vector<Pid> circle_from(Pid pid);
  /// Why the arena is at a standstill: "each of the 3 processes ...". Empty: it is not, or that cannot be proved.
  std::string proof();

  /// What was read so far.
  [[nodiscard]] const std::unordered_map<Pid, Standing>& everyone() const { return everyone_; }
  [[nodiscard]] const Channels& channels() const { return channels_; }
  /// As it is now, identified; null when it is not here.
  const Standing* see(Pid pid) const;
  const ProcessWait& wait(Pid pid);
  /// Processes of the arena that could bring this source on; the waiting one may be among them.
  std::vector<Pid> able(const Source& source) const;

 private:
  void look_anew();
  bool is_open(Pid pid);
  bool is_open(const Source& source);
  struct Circle {
    std::vector<Pid> members;
    bool half_done = false;         // one waits for room or a lock
    bool in_one_call = false;       // one waits for others in read, wait4 or the like, not on a set or a futex
    bool rests_on_signals = false;  // one handles signals, so no process of the arena may be left to send one
  };
  bool add_member(Pid pid, Circle* circle);
  Circle candidate(Pid pid);
  bool holds_together(const Circle& circle);
  bool memory_is_shared(Pid pid);
  bool descriptors_are_hidden();
  bool alarm_may_be_set();
  std::vector<Pid> wakers(Pid pid);
  bool anybody_can_go_on();
  std::vector<SeenThread> seen(const std::vector<Pid>& pids) const;

  bool sealed_;
  Pid root_;
  mutable std::unordered_map<Pid, Standing> everyone_;
  Channels channels_;
  std::map<Pid, ProcessWait> waits_;
  std::map<Pid, bool> open_, shares_;
  std::optional<bool> hidden_, anybody_, alarm_;
};

/// Asks for the proof again and again. It reads much of /proc, so the arena has the processor for most of the time between
/// two attempts. Passive; a proof that was found stays.
class StandstillWatch {
 public:
  StandstillWatch(bool sealed, Pid root) : sealed_(sealed), root_(root) {}
  void look();
  /// Why nobody in the arena will ever end by itself; empty while that is not proved.
  [[nodiscard]] const std::string& proof() const { return proof_; }

 private:
  bool sealed_;
  Pid root_;
  std::string proof_;
  Nanos next_{};  // no attempt before
};

}  // namespace forkproof::observe
