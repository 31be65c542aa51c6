#include "harness/observe/strangers.h"

#include <unistd.h>

#include <fmt/format.h>

#include "harness/observe/proc.h"
#include "harness/observe/set_aside.h"

namespace forkproof::observe {

void Strangers::begin(const std::string& wanted, Pid subject) {
  std::string refusals;
  if (wanted == "none") return told_.append(ObservationChosen{way_, "everybody who announces nothing", "it was asked for"});
  for (const Way& way : ways()) {
    if (wanted != "auto" && wanted != way.key) continue;
    auto observer = way.make({warden_, outlook_, sealed_, [this](Happening what) { seen(std::move(what)); }});
    std::string refusal = observer->prepare();
    if (refusal.empty()) refusal = observer->attach(subject);
    if (refusal.empty()) {
      observer_ = std::move(observer), way_ = way.key;
      const std::string because = wanted == "auto" ? "the first that can be had here" : "it was asked for";
      const std::string here = observer_->misses_here();
      return told_.append(ObservationChosen{way_, std::string(way.misses) + (here.empty() ? "" : "; " + here), because + refusals});
    }
    refusals += fmt::format("; not {}: {}", way.key, refusal);
  }
  told_.append(ObservationChosen{way_, "everybody who announces nothing", "nothing that was asked for can be had here" + refusals});
}

void Strangers::seen(Happening what) {
  if (auto* spawned = std::get_if<Spawned>(&what)) {
    spawned->parent = told_parent(spawned->parent);
    return born(*spawned);
  }
  const auto* signal = std::get_if<SignalSeen>(&what);
  if (signal != nullptr && is_set_aside(signal->pid)) return;
  if (const auto* one = std::get_if<Execed>(&what)) return execed(*one);
  if (const auto* exited = std::get_if<Exited>(&what)) return ended(exited->pid, exited->status, exited->known);
  told_.append(std::move(what));
}

void Strangers::born(const Spawned& spawned) {
  if (is_set_aside(spawned.pid)) return;
  // PID 1 starts nobody but the subject: whoever is first seen as its child was somebody's before.
  const Pid starter = spawned.parent == ::getpid() ? 0 : spawned.parent;
  if (told_.is_introduced(spawned.pid)) return void(known_[spawned.pid].starter = spawned.parent);
  known_[spawned.pid] = {starter, spawned.role};  // a pid that was there before has gone round
  living_[spawned.pid] = {spawned.parent, spawned.role};
  children_[spawned.parent].insert(spawned.pid);
  told_.append(spawned);
}

void Strangers::execed(const Execed& execed) {
  const auto one = living_.find(execed.pid);
  if (one != living_.end()) {
    one->second.name = execed.program.substr(execed.program.rfind('/') + 1);
    known_[execed.pid].name = one->second.name;
  }
  told_.append(execed);
}

void Strangers::ended(Pid pid, WaitStatus status, bool known) {
  const auto one = living_.find(pid);
  if (one == living_.end()) return;
  told_.append(Exited{pid, one->second.name, status, known});
  children_[one->second.parent].erase(pid);
  living_.erase(one);
  find_orphans_of(pid);
  told_.somebody_ended(pid);
}

void Strangers::reaped(Pid pid, WaitStatus status) {
  ended(pid, status, true);
  if (observer_) observer_->reaped(pid);
}

void Strangers::introduced(Pid pid, Pid parent, const std::string& role) {
  const auto known = known_.find(pid);
  if (known == known_.end()) known_[pid] = {parent, role};
  else known->second.name = role;  // who started it was seen better than it knows itself
  const auto one = living_.find(pid);
  if (one == living_.end()) return;
  children_[one->second.parent].erase(pid);
  living_.erase(one);
}

/// Re-parenting is part of the exit (exit_notify) and done before anybody is told of it.
void Strangers::find_orphans_of(Pid dead) {
  const auto family = children_.find(dead);
  if (family == children_.end()) return;
  const std::set<Pid> orphans = std::move(family->second);
  children_.erase(family);
  for (const Pid pid : orphans) {
    const auto one = living_.find(pid);
    const auto look = look_at(pid);
    if (one == living_.end() || !look) continue;
    one->second.parent = look->entry.parent;
    children_[look->entry.parent].insert(pid);
    if (look->entry.parent != dead) told_.append(Reparented{pid, dead, look->entry.parent, look->entry.doomed});
  }
}

void Strangers::tell_what_was_missed() {
  const std::string missed = observer_ ? observer_->missed() : "";
  if (!missed.empty()) told_.append(ObservationChosen{way_, missed, "so much was missed in this run"});
}

}  // namespace forkproof::observe
