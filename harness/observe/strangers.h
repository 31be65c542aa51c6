#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "harness/arena/warden.h"
#include "harness/observe/ways/way.h"
#include "harness/observe/why.h"

namespace forkproof::observe {

/// Everybody in the arena who says nothing of himself, as one of observe's ways sees them. Active through the warden's
/// loop; owned by who runs it. What is seen it gives to its owner as events.
class Strangers {
 public:
  struct Told {
    std::function<void(Happening)> append;
    std::function<bool(Pid)> is_introduced;    ///< somebody of that pid has spoken for himself and lives
    std::function<void(Pid)> somebody_ended;   ///< a stranger, who may have been somebody's parent
  };
  Strangers(arena::Warden& warden, const Outlook& outlook, bool sealed, Told told)
      : warden_(warden), outlook_(outlook), sealed_(sealed), told_(std::move(told)) {}

  /// Begins to see everybody below the subject, who exists and has not been let go yet. `wanted`: a way's key, "auto" for
  /// the first that can be had, or "none". Appends what was chosen and why.
  void begin(const std::string& wanted, Pid subject);
  /// PID 1 has reaped a child of its own, whoever that was.
  void reaped(Pid pid, WaitStatus status);
  /// Somebody who was a stranger, or not seen at all, has spoken for himself: from now on he is his owner's matter.
  void introduced(Pid pid, Pid parent, const std::string& role);
  /// Somebody's end is known: who of the strangers was his child, and is whose now?
  void find_orphans_of(Pid dead);
  /// Who was seen so far, the dead included.
  [[nodiscard]] const Acquaintances& known() const { return known_; }
  /// What is known to have been missed, as an event; nothing when nothing is.
  void tell_what_was_missed();

 private:
  struct One {
    Pid parent = 0;
    std::string name;
  };
  void seen(Happening what);
  void born(const Spawned& spawned);
  void execed(const Execed& execed);
  void ended(Pid pid, WaitStatus status, bool known);

  arena::Warden& warden_;
  const Outlook& outlook_;
  bool sealed_;
  Told told_;
  std::string way_ = "none";
  std::unique_ptr<Observer> observer_;
  Acquaintances known_;
  std::map<Pid, One> living_;
  std::map<Pid, std::set<Pid>> children_;  // of whomever, among the living
};

}  // namespace forkproof::observe
