#include "harness/observe/census.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "harness/core/children.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

constexpr Nanos look_interval = std::chrono::milliseconds(1);
/// More processor time than a doomed process spends between taking its signal and being marked as exiting.
constexpr Nanos dying_takes = std::chrono::milliseconds(20);

/// Whether it is PID 1 of a namespace of its own: the last number in NSpid (`man 5 proc`).
bool is_namespace_init(Pid pid) {
  return status_field(pid, "NSpid").ends_with("\t1");
}

}  // namespace

void Census::take(const std::string& when, Nanos patience, Done done) {
  result_ = {when, true, {}};
  done_ = std::move(done);
  give_up_ = monotonic_now() + patience;
  first_cpu_time_.clear();
  asleep_beside_.clear();
  settled_.clear();
  list_newcomers();
  look_again();
}

void Census::list_newcomers() {
  for (const Pid pid : everybody(sealed_, root_)) {
    if (!settled_.contains(pid)) undecided_.insert(pid);
  }
}

/// Whoever was listed may have forked before it ended, and the listing be too old to know the child: that nobody is left is
/// only true of a listing with nobody new. Where somebody lives for sure there is no such claim to be made.
bool Census::nobody_new() {
  const auto& found = result_.processes;
  if (std::any_of(found.begin(), found.end(), [](const CensusEntry& entry) { return entry.state != "Z"; })) return true;
  list_newcomers();
  return undecided_.empty() && !(found.empty() && has_unlisted_children());
}

/// A second opinion that needs no /proc. A zombie that the warden reaps in a moment counts too, and is gone at the next look.
bool Census::has_unlisted_children() const {
  return root_ == ::getpid() && has_children();
}

bool Census::decided(const Look& look, bool* alive) {
  // A zombie stays one until its parent reaps it: that is a finding, unless it is the warden's own to reap, or will be
  // when a parent that is dying too has gone.
  if (look.entry.state == "Z") {
    const auto parent = look_at(look.entry.parent);
    if (look.entry.parent == root_) return true;
    if (!parent || parent->entry.doomed) return false;
    // A parent that was just told runs, and may be about to reap it; one that sleeps on, by two looks, has not asked for it.
    if (parent->entry.state == "R" && !used_more_than_dying_takes(*parent)) return false;
    if (asleep_beside_.insert(look.entry.pid).second) return false;
    return *alive = true;
  }
  if (look.entry.doomed || lives_in_a_dying_world(look.entry.pid)) return false;
  if (look.entry.state != "R") return *alive = true, true;
  return *alive = true, used_more_than_dying_takes(look);
}

bool Census::used_more_than_dying_takes(const Look& look) {
  const auto [first, is_new] = first_cpu_time_.try_emplace(look.entry.pid, look.cpu_time);
  return !is_new && look.cpu_time - first->second >= dying_takes;
}

/// When PID 1 of a namespace dies the kernel kills all others in it, one after another, and only then lets it go
/// (zap_pid_ns_processes, `man 7 pid_namespaces`): their death is pending too.
void Census::find_dying_worlds() {
  dying_worlds_.clear();
  for (const Pid pid : undecided_) {
    const auto look = look_at(pid);
    if (look && pid != root_ && look->entry.doomed && is_namespace_init(pid)) dying_worlds_.insert(pid_namespace_of(pid));
  }
}

bool Census::lives_in_a_dying_world(Pid pid) const {
  return !dying_worlds_.empty() && dying_worlds_.contains(pid_namespace_of(pid));
}

void Census::look_again() {
  const Nanos began = monotonic_now();
  find_dying_worlds();
  for (auto pid = undecided_.begin(); pid != undecided_.end();) {
    const auto look = look_at(*pid);
    bool alive = false;
    const bool settled = !look || decided(*look, &alive);
    if (settled && alive) result_.processes.push_back(look->entry);
    if (settled && look) settled_.insert(*pid);  // one that is gone is listed no more
    pid = settled ? undecided_.erase(pid) : std::next(pid);
  }
  if (undecided_.empty() && nobody_new()) return finish(true);
  if (monotonic_now() >= give_up_) return finish(false);
  // Many take long to look at: the processor is theirs meanwhile, or they would never come to an end.
  const Nanos now = monotonic_now();
  warden_.call_at(now + std::max(look_interval, 3 * (now - began)), [this] {
    warden_.reap();  // a child that ended before the warden listened for SIGCHLD is told by no signal
    look_again();
  });
}

void Census::finish(bool complete) {
  for (const Pid pid : undecided_) {
    if (const auto look = look_at(pid)) result_.processes.push_back(look->entry);
  }
  undecided_.clear();
  result_.complete = complete;
  done_(std::move(result_));
}

}  // namespace forkproof::observe
