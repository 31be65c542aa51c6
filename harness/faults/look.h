#pragma once
#include <cstdint>
#include <string>

#include "harness/core/event.h"

// What several faults look at in /proc before they strike.

namespace forkproof::faults {

/// The letter of /proc/PID/stat; '?' when it is gone.
char state_of(Pid pid);

/// The system call that its main thread sleeps in, as /proc/PID/syscall shows it in one line, "stopped", or "asleep" where
/// the kernel keeps the call to itself; empty when it runs, or is gone.
std::string resting_place(Pid pid);

/// Whether such a place is a call of an announcement to the rig: who sleeps there waits for the rig, and for nothing of its own.
bool waits_for_the_rig(const std::string& place);

/// One of the signal masks of /proc/PID/status ("SigIgn"), signal n as bit n - 1; 0 when it is gone.
std::uint64_t signal_mask_of(Pid pid, const std::string& key);
bool is_pending(Pid pid, int signal);

/// A word such as "SIGTERM" as its number; 0 for what is none.
int signal_from(const std::string& word);

/// Tells when a process rests: asleep at the same place in two looks. Passive; looked with again and again.
class Rest {
 public:
  bool look(Pid pid);
  void forget() { place_.clear(); }
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  std::string place_;
};

}  // namespace forkproof::faults
