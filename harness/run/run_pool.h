#pragma once
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/arena/cgroup_remover.h"
#include "harness/arena/tier.h"
#include "harness/core/case.h"
#include "harness/core/fd.h"
#include "harness/core/history.h"
#include "harness/core/summary.h"
#include "harness/core/verdict.h"

namespace forkproof::run {

/// One run that has ended by itself, judged.
struct FinishedRun {
  std::uint64_t tag = 0;  ///< whatever its owner gave it
  Case one;
  History history;
  std::map<std::string, Verdict> verdicts;  ///< by oracle
  Nanos wall{};                             ///< from its first event to its arena's end
};

/// SIGINT, SIGTERM and SIGHUP as a descriptor; as they were before afterwards.
class InterruptsHeld {
 public:
  InterruptsHeld();
  ~InterruptsHeld();
  InterruptsHeld(const InterruptsHeld&) = delete;
  InterruptsHeld& operator=(const InterruptsHeld&) = delete;
  Fd fd;

 private:
  sigset_t before_;
};

/// Up to `jobs` runs at the same time, each in an arena of its own. Active while `wait` runs; between two calls nothing
/// of it needs attention. One thread. Its owner keeps `provision` as long as the pool; dropping the pool ends what runs.
class RunPool {
 public:
  /// `observe`: how the processes of a command are seen (RunOptions).
  RunPool(const arena::Provision& provision, unsigned jobs, std::string observe = "auto");
  ~RunPool();

  [[nodiscard]] bool full() const { return active_.size() >= jobs_; }
  [[nodiscard]] bool idle() const { return active_.empty(); }
  /// SIGINT, SIGTERM or SIGHUP has come. Nothing may be started any more.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

  /// Opens an arena. `keep_path`: the file that the history is written to, its folders made; empty: in memory only.
  /// BadInput when that cannot be opened, or when a fault does not exist.
  void start(Case one, std::uint64_t tag, const std::string& keep_path = "");

  /// Blocks until at least one run has ended, or an interrupt has come; that ends all that are open, and a run that was
  /// cut off so is none: it is not returned. HarnessFailure when a history could not be written.
  std::vector<FinishedRun> wait();

 private:
  struct ActiveRun;
  std::optional<FinishedRun> finish(ActiveRun& active);

  const arena::Provision& provision_;
  std::size_t jobs_;
  std::string task_program_;
  std::string observe_;
  InterruptsHeld interrupts_;
  arena::CgroupRemover remover_;
  bool interrupted_ = false;
  std::vector<std::unique_ptr<ActiveRun>> active_;
};

/// Why a case cannot be run here, and what that makes of it.
struct Obstacle {
  CellOutcome outcome = CellOutcome::skipped;
  std::string note;
};
/// Whether this arena has what the case's faults need on their stage. BadInput when a fault does not exist.
std::optional<Obstacle> obstacle_to(const Case& one, const arena::Provision& provision);

/// The static task program beside this one; HarnessFailure when it is missing.
std::string task_program();

}  // namespace forkproof::run
