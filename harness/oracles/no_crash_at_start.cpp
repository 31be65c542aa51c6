// Promise `no-crash-at-start`. A supervisor that reaps a crashed child and tells `failed` keeps all its other promises;
// this one asks whether what it starts can start at all. Judged are the roots of its trees: the processes that it spawned
// itself. Not meant are: who was signalled (somebody wanted its end), who outlived the supervisor, and who is stuck, which
// is no-stuck-process' matter. Of whom nobody knows what became of it, nothing is told.
#include <algorithm>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool was_up(const Reading& reading, Pid pid) {
  return reading.first<Ready>([pid](const Ready& ready) { return ready.pid == pid; }).has_value();
}

/// Whether a process that the supervisor starts may be in the supervisor's own group until it is up. The task of a model
/// that sees to a group of its own is in that before anybody can signal it; whom a command starts may be in either.
bool may_share_group(const History& history) {
  const auto* model = std::get_if<ModelSupervisor>(&case_of(history).subject);
  return model == nullptr || model->profile.model == Model::prefork_master || model->profile.task_group != TaskGroup::set_by_both;
}

/// The event that tells why a signal was not sent after all: a sender says first that it sends, and then what failed.
std::optional<std::size_t> failure_of(const History& history, std::size_t sent) {
  const auto& first = *history[sent].as<Signalled>();
  for (std::size_t i = sent + 1; i < history.size(); ++i) {
    const auto* next = history[i].as<Signalled>();
    if (next == nullptr || next->by != first.by || next->target != first.target || next->signal != first.signal) continue;
    return next->error != 0 ? std::optional(i) : std::nullopt;
  }
  return std::nullopt;
}

/// What was sent to a process, or to a group that it may have been in, before its end.
struct SignalsSent {
  bool any_arrived = false;
  std::vector<std::size_t> failures;
};
SignalsSent signals_sent_to(const History& history, const Reading& reading, Pid pid, std::size_t end) {
  const bool shares = reading.supervisor() != 0 && may_share_group(history);
  SignalsSent all;
  for (std::size_t i = 0; i < end; ++i) {
    const auto* sent = history[i].as<Signalled>();
    if (sent == nullptr || sent->error != 0) continue;
    if (sent->target != pid && sent->target != -pid && !(shares && sent->target == -reading.supervisor())) continue;
    if (const auto failure = failure_of(history, i)) all.failures.push_back(*failure);
    else all.any_arrived = true;
  }
  return all;
}

/// Somebody saw it after its start: as stuck, or alive when all were counted.
bool was_seen_alive(const Reading& reading, Pid pid) {
  const auto is_it = [pid](const CensusEntry& entry) { return entry.pid == pid && entry.state != "Z"; };
  return reading.first<Stuck>([pid](const Stuck& stuck) { return stuck.pid == pid; }) ||
         reading.first<CensusTaken>([&](const CensusTaken& census) { return std::any_of(census.processes.begin(), census.processes.end(), is_it); });
}

}  // namespace

Verdict no_crash_at_start(const History& history) {
  const Reading reading(history);
  const auto supervisor_end = reading.supervisor_end();
  // Whom a command signals, it does not tell.
  const auto asked = reading.is_command() ? reading.first<TeardownAsked>() : std::nullopt;
  std::size_t started = 0;
  bool all_known = true;
  std::vector<std::size_t> never_seen_again;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* spawned = history[i].as<Spawned>();
    if (spawned == nullptr || spawned->node != 0) continue;
    ++started;
    if (was_up(reading, spawned->pid)) continue;
    const auto end = reading.exit_of(spawned->pid);
    if (!end && !was_seen_alive(reading, spawned->pid)) never_seen_again.push_back(i);
    if (!end) continue;
    if (supervisor_end && *supervisor_end < *end) continue;
    if (asked && *asked < *end) continue;
    const SignalsSent sent = signals_sent_to(history, reading, spawned->pid, *end);
    if (sent.any_arrived) continue;
    const Exited& exited = reading.at<Exited>(*end);
    all_known &= exited.known;
    if (!exited.known || exited.status.success()) continue;
    std::vector<std::size_t> evidence{i, *end};
    evidence.insert(evidence.end(), sent.failures.begin(), sent.failures.end());
    return broken(reading.who(spawned->pid) + " ended (" + exited.status.text() + ") " + text(reading.between(i, *end)) +
                      " after it was started and before it was up; " +
                      (sent.failures.empty() ? "nobody had signalled it" : "no signal had reached it"),
                  std::move(evidence));
  }
  if (started == 0) return skipped("the supervisor started nobody");
  if (!all_known) return unknown("how a child ended before it was up could not be seen");
  if (!never_seen_again.empty()) {
    const std::string who = reading.who(reading.at<Spawned>(never_seen_again.front()).pid);
    return unknown("what became of " + who + ", that was never up, nobody saw", std::move(never_seen_again));
  }
  return held("nobody ended by itself before it was up");
}

}  // namespace forkproof::oracles
