#pragma once
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "harness/arena/tier.h"
#include "harness/core/event.h"

namespace forkproof::guard {

/// A command to be guarded, and for how long.
struct GuardOrders {
  std::vector<std::string> argv;
  Nanos grace{std::chrono::seconds(2)};  ///< from the command's end until nobody may be left
  Nanos kill_after{std::chrono::seconds(10)};  ///< from a signal that asks for the end until SIGKILL; 0: never
  std::string observe = "auto";          ///< a way of observe/ways/ways.def, "auto" or "none"
  bool private_tmp = false;              ///< /tmp, /var/tmp and /dev/shm are the arena's own
  std::vector<std::string> shares;       ///< what of them is the machine's all the same
};

/// What became of it.
struct GuardResult {
  WaitStatus status;                          ///< the command's own
  std::string not_started;                    ///< why it could not be started; then `status` is what a shell gives for that
  std::optional<Nanos> ended_after;           ///< since it was started; empty: it never ended by itself
  std::optional<ObservationChosen> observation;
  CensusTaken left;                           ///< who was still there when the grace was over; all of them are gone now
  Explained why;
  std::vector<std::string> lost;              ///< files in the private /tmp and its kin: gone with the arena
  Nanos graced{};                             ///< what passed from the command's end until the count
  std::string asked_by;                       ///< the first signal that asked for the end; empty: none did
  bool killed = false;                        ///< by this rig: it did not end in kill_after, or was asked twice
  bool grace_cut = false;                     ///< whether who is left would have gone within the grace is not known
  bool cut_off = false;                       ///< the arena ended before its work was done: nothing can be told
  std::string trouble;                        ///< what the harness could not do
};

/// Runs the command in an arena of processes alone (Privacy::processes), with the caller's stdio,
/// environment, folder, network and signal mask; what it leaves is counted and explained when the grace is
/// over, and killed. Signals that come meanwhile are passed on: to its process group when a terminal's key
/// sent them, else to itself. SIGTERM, SIGINT, SIGHUP and SIGQUIT are followed by SIGCONT, and after
/// kill_after by SIGKILL, at once where one comes a second time; during the grace they end it. When the
/// command stops, this process stops too where job control can continue it. Blocks. Throws HarnessFailure.
GuardResult guard(const GuardOrders& orders, const arena::Provision& provision);

}  // namespace forkproof::guard
