#include "harness/run/strike_times.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace forkproof::run {
namespace {

constexpr Nanos first_patience = std::chrono::seconds(10);   // for a supervisor to set itself up, once its tree is up
constexpr int most_starved = 2;
constexpr Nanos second_patience = std::chrono::seconds(2);   // a teardown's bound may be running by then

}  // namespace

bool StrikeTimes::is_trigger(std::size_t fault, const Event& event) const {
  if (event.as<TreeReady>() != nullptr) return true;
  const auto* fired = event.as<FaultFired>();
  return fired != nullptr && fired->fault == one_.faults[fault].word("after", "");
}

bool StrikeTimes::keeps_back(std::size_t fault, const Event& event) {
  if (!std::holds_alternative<Command>(one_.subject)) return false;
  if (!faults_[fault]->strikes_at_rest() || !is_trigger(fault, event)) return false;
  kept_.push_back({fault, event, {}});
  if (!began_) {
    began_ = monotonic_now();
    rest_.begin(*began_, tree_was_up_ ? Nanos{} : one_.bounds.settle);
  }
  return true;
}

/// The tree that is to be struck may end by itself; and nobody waits longer than a start may take.
Nanos StrikeTimes::patience() const {
  if (tree_was_up_) return second_patience;
  Nanos most = std::min(first_patience, one_.bounds.startup);
  if (one_.tree.exits_after) most = std::min(most, *one_.tree.exits_after / 2);
  return most + one_.bounds.settle;
}

void StrikeTimes::tick() {
  if (kept_.empty()) return;
  const Nanos now = monotonic_now();
  if (began_) look_at_arena(now);
  show_what_is_due(now);
}

void StrikeTimes::look_at_arena(Nanos now) {
  const bool rested = rest_.look(now);
  const Nanos waited = now - *began_;
  const Nanos starved = std::min(rest_.lost(), most_starved * patience());  // a busy machine is not the command's doing
  if (!rested && waited < patience() + starved) return;
  began_.reset();
  tree_was_up_ = true;
  for (Kept& kept : kept_) {
    if (!kept.rested_at) kept.rested_at = now;
  }
  last_ = ArenaRested{rested, waited, rested ? rest_.proof() : rest_.obstacle()};
  told_.rested(*last_);
}

/// The delay of a fault that waits for another one is counted from that one's strike.
Nanos StrikeTimes::delay_of(const Kept& kept) const {
  const FaultSpec& spec = one_.faults[kept.fault];
  const bool waits_for_other = std::any_of(one_.faults.begin(), one_.faults.end(), [&spec](const FaultSpec& other) {
    return other.fault == spec.word("after", "");
  });
  return waits_for_other && kept.event.as<TreeReady>() != nullptr ? Nanos{} : spec.delay;
}

/// What is shown may make a fault strike, and so keep the next event back.
void StrikeTimes::show_what_is_due(Nanos now) {
  const auto due = std::stable_partition(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return !kept.rested_at || now - *kept.rested_at < delay_of(kept);
  });
  std::vector<Kept> shown(std::make_move_iterator(due), std::make_move_iterator(kept_.end()));
  kept_.erase(due, kept_.end());
  for (const Kept& kept : shown) told_.show(kept.fault, kept.event);
  if (!shown.empty() && kept_.empty()) told_.none_left();
}

void StrikeTimes::supervisor_ends() {
  for (Kept& kept : std::exchange(kept_, {})) {
    if (kept.event.as<FaultFired>() != nullptr) told_.show(kept.fault, kept.event);
  }
  began_.reset();
}

std::string StrikeTimes::told_of(std::size_t fault) const {
  if (!last_ || !faults_[fault]->strikes_at_rest()) return {};
  const Nanos delay = one_.faults[fault].delay;
  const std::string later = delay > Nanos{} ? fmt::format("; {} more were waited (delay_s)", text(delay)) : "";
  return (last_->rested ? ", and the arena is at rest" : ", though the arena was not at rest") + later;
}

}  // namespace forkproof::run
