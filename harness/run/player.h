#pragma once
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/arena/tier.h"
#include "harness/core/case.h"
#include "harness/core/duration.h"
#include "harness/core/fd.h"
#include "harness/core/line_chain.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/observe/ways/way.h"

namespace forkproof::run {

/// All that the player needs, made outside and inherited by the fork.
struct Part {
  const Case& one;
  arena::Tier tier = arena::Tier::sealed;
  bool cgroup = false;
  std::vector<std::string> refusals;
  int history = -1;          ///< descriptor, opened for appending
  LineChain chain;           ///< of the lines that the history holds already
  Nanos origin{};            ///< CLOCK_MONOTONIC when the run began
  ControlAddress control;
  std::string task_program;  ///< the task as a program: forkproof-task, or this one where a fault touches the task
  std::vector<std::string> task_argv;
  std::string tiny_program;  ///< forkproof-task, whatever plays the task
  faults::Fault* in_subject = nullptr;  ///< the fault that acts inside the subject, if one does
  std::string in_subject_key;
  std::uint16_t server_port = 0;
  int nice = 0;              ///< what a command starts with: PID 1 may be more urgent
  rlimit files{};            ///< likewise: PID 1 has a pidfd for each process
  std::string directory;     ///< of the arena's own, for a command; empty where there is none
  std::vector<Fd> servers;   ///< their folders in the keeper's /proc, where the case has a schedule
  std::string observe = "none";           ///< how strangers are seen: a way of ways.def, "auto" or "none"
  const observe::Outlook* outlook = nullptr;  ///< what that needs from outside; null with "none"
  int start_gate = -1;       ///< the subject reads a byte from it before anything else; -1: it need not wait
  faults::Stage stage;
  std::vector<std::unique_ptr<faults::Fault>>& faults;  ///< one for each of the case's
};

/// How many processes an arena gives a command with a tree of so many nodes; beyond it it forks without end.
inline std::size_t most_processes(std::size_t nodes) { return 1'000 + 2 * nodes; }

/// `play` returns this when the history could not be written (EX_IOERR of sysexits.h).
inline constexpr int history_failed = 74;

/// Plays one case in an arena: what PID 1 does, from the first event after the case itself to the last. Blocks;
/// returns the warden's exit code: 0, or 74 when the history could not be written (EX_IOERR).
int play(Part& part);

}  // namespace forkproof::run
