#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/arena/overlays.h"
#include "harness/core/case.h"
#include "harness/core/event.h"
#include "harness/core/fd.h"
#include "harness/core/server_plan.h"
#include "harness/core/vocabulary.h"

namespace forkproof::faults {

/// What a fault can arrange before anything runs. Owned by the player.
struct Stage {
  ServerPlan server;
  std::vector<HoldRule> holds;
  bool name_server = false;               ///< a silent one, on the arena's 127.0.0.1:53
  std::vector<arena::Overlay> overlays;   ///< files of the machine, as the subject sees them
  std::string task_role;            ///< of the tree's root; empty where that has no say
  bool runs_on_at_birth = false;    ///< the supervisor goes on while its task has not run on from the fork yet
  bool terminal = false;    ///< the subject's controlling terminal and stdio are a pty whose other end the rig has
  bool own_stdout = false;  ///< the subject's stdout is a pipe that nobody reads until a fault says so
};

/// How a fault speaks while the run goes on. Each call becomes an event.
class Strike {
 public:
  virtual ~Strike() = default;
  /// What the fault needs is there; `proof` says how that is known.
  virtual void established(const std::string& proof) = 0;
  virtual void fired(const std::string& what) = 0;
  /// From now on the time of a teardown is counted; `why`: one of the words of `cause` (event.h).
  virtual void asks_teardown(const std::string& because, const char* why = cause::asked) = 0;
  /// Sends a signal from outside the subject; what becomes of one to a task is watched. `target` < 0: to the group.
  virtual void signal(Pid target, int signal) = 0;
  /// What the fault has seen of the subject from outside; `ok`: as it should be.
  virtual void probed(const std::string& what, const std::string& result, bool ok) = 0;
  /// Whether the subject's whole arena was waited for, so that the fault need not look whether the supervisor rests.
  [[nodiscard]] virtual bool waited_for_rest() const { return false; }
  /// The rig's end of the subject's terminal, or of its stdout where that is a pipe apart; -1 where there is none.
  virtual int terminal() const { return -1; }
  virtual int stdout_reader() const { return -1; }
  /// Closes the rig's end of the terminal: the subject's session is hung up.
  virtual void hang_up() {}
  /// Closes the reading end of the subject's stdout.
  virtual void close_stdout() {}
  /// What the fault is for cannot be brought on with this subject: the run is over, and says why.
  virtual void give_up(const std::string& because) = 0;
};

/// Something brought on at a sync point. An object, since some hold things (a thread, a full pipe). It acts on the
/// stage before anything runs, and in the warden while it runs; all its parts stand in its one file.
class Fault {
 public:
  virtual ~Fault() = default;
  /// What this build lacks for it, and how to get it; empty when nothing. Then the cell is skipped, and says so.
  [[nodiscard]] virtual std::string missing() const { return {}; }
  /// On the stage, before anything runs. Called outside, in a process that is about to fork the arena.
  virtual void set_stage(Stage& stage) = 0;
  /// In the process that is about to become the subject: its signals, limits and the like. A descriptor that the warden is
  /// to have (`given`), or -1. Throws HarnessFailure.
  virtual int start_in_subject() { return -1; }
  /// In the warden: the descriptor that `start_in_subject` returned. It is watched, and `ready` called when it is readable.
  virtual void given(Fd) {}
  virtual void ready(Strike&) {}
  /// Inside the subject, right before it spawns its task: takes what the child will miss (a thread takes a lock) and
  /// returns how it is known that it has. Throws HarnessFailure when that cannot be proved. Empty: nothing to do here,
  /// or `see` tells.
  virtual std::string arm_in_subject() { return {}; }
  /// Inside the task, before it is ready: touches what was taken. In a child that did not exec this runs in the
  /// parent's image; else in a fresh image of the same program.
  virtual void touch_in_task() {}
  /// Sees each event as it is appended, and establishes, proves and fires at the right one.
  virtual void see(const Event& event, Strike& strike) = 0;
  /// Called every millisecond, for a fault that waits for what no event tells.
  virtual void tick(Strike&) {}
  /// Of a command: whether it is to see that the tree is up, or that the fault before has struck, only once the whole arena
  /// is at rest. False for one that strikes at an event of its own.
  [[nodiscard]] virtual bool strikes_at_rest() const { return true; }
  /// The signal by which `heal` heals, so that it can be told; signal 0: by none.
  struct HealingSignal {
    Pid pid = 0;
    int signal = 0;
  };
  [[nodiscard]] virtual HealingSignal heals_by() const { return {}; }
  /// The run is not over before this fault has its answer, though the supervisor is gone.
  [[nodiscard]] virtual bool waits_for_answer() const { return false; }
  /// Takes it away. Called once, also when it never fired.
  virtual void heal() noexcept {}
};

/// One row of faults.def.
struct FaultRow {
  std::string_view key;
  std::string_view about;
  bool in_subject;  ///< it arms in the subject and touches in the task
  std::span<const Setting> settings;
  /// What is wrong with the settings taken together; empty when nothing is.
  std::string (*check)(const FaultSpec&);
  std::unique_ptr<Fault> (*make)(const FaultSpec&);
};
std::span<const FaultRow> faults();
const FaultRow* find_fault(std::string_view key);

}  // namespace forkproof::faults
