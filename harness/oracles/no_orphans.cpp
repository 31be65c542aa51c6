// Promise `no-orphans`. Two ways to break it, each by itself:
//  - a process is alive, with no death pending, when the supervisor has concluded (the census taken then);
//  - a process was re-parented to PID 1 and is alive when the teardown's bound is over, however long the supervisor
//    takes to notice (before airflow#51180 it hung until the orphan ended by itself).
// A process that has its death pending is no orphan: the signal was sent before the conclusion.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

struct Orphan {
  Pid pid;
  std::string how;
};

std::vector<std::size_t> evidence_for(const Reading& reading, Pid pid, std::size_t shown_by) {
  std::vector<std::size_t> evidence;
  const auto add = [&evidence](std::optional<std::size_t> index) {
    if (index) evidence.push_back(*index);
  };
  add(reading.first<Spawned>([pid](const Spawned& spawned) { return spawned.pid == pid; }));
  add(reading.first<Reparented>([pid](const Reparented& moved) { return moved.pid == pid; }));
  add(reading.supervisor_end());
  evidence.push_back(shown_by);
  return evidence;
}

/// Where the same node of the tree was started again while this process lived: a reload that keeps its old tree.
std::optional<std::size_t> newer_copy(const Reading& reading, Pid pid) {
  const auto start = reading.first<Spawned>([pid](const Spawned& spawned) { return spawned.pid == pid && spawned.node >= 0; });
  if (!start) return std::nullopt;
  const std::int32_t node = reading.at<Spawned>(*start).node;
  const auto fired = reading.first<FaultFired>();  // a copy of before was there from the start
  const auto newer = reading.last<Restarted>([&](const Restarted& again) { return again.node == node && again.pid != pid && again.after == Nanos{}; });
  return fired && newer && *newer > *fired && *newer > *start ? newer : std::nullopt;
}

std::string story(const Reading& reading, Pid pid, const std::string& how) {
  std::string text = reading.who(pid) + " " + how;
  const auto moved = reading.first<Reparented>([pid](const Reparented& event) { return event.pid == pid; });
  if (moved) {
    const auto& event = reading.at<Reparented>(*moved);
    text += "; its parent " + reading.who(event.from) + " died and " + reading.who(event.to) + " inherited it";
  }
  if (const auto newer = newer_copy(reading, pid)) {
    text += "; " + reading.who(reading.at<Restarted>(*newer).pid) + " was started in its place while it lived";
  }
  return text;
}

/// Alive in the last census, and not where it belongs.
std::optional<Verdict> survivor(const Reading& reading, std::size_t census_index) {
  const auto& census = reading.at<CensusTaken>(census_index);
  const bool concluded = census.when == "conclusion" || reading.killed_from_outside();
  std::size_t count = 0;
  Pid first = 0;
  for (const CensusEntry& entry : census.processes) {
    const bool misplaced = concluded || entry.parent == reading.warden();
    if (entry.state == "Z" || entry.pid == reading.supervisor() || !misplaced) continue;
    if (count++ == 0) first = entry.pid;
  }
  if (count == 0) return std::nullopt;
  std::string how = "lives on at the deadline";
  if (concluded) how = "lives on after the supervisor's end";
  const bool killed = reading.killed_from_outside().has_value();
  if (killed) how = "lives on when the bound is over, after the supervisor was killed";
  const auto proved = reading.first<Explained>([](const Explained& why) { return !why.proof.empty(); });
  if (proved) {
    how = killed ? "lives on after the supervisor was killed" : "lives on after the supervisor's end";
    how += ", and will not end by itself (proved)";
  }
  std::string because = story(reading, first, how);
  if (count > 1) because += "; and " + std::to_string(count - 1) + " more";
  return broken(because, evidence_for(reading, first, census_index));
}

/// Alive under PID 1 when the bound was over, though it has ended since.
std::optional<Verdict> outlived_the_bound(const History& history, const Reading& reading, std::size_t asked) {
  const Nanos bound = case_of(history).bounds.teardown;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* moved = history[i].as<Reparented>();
    if (moved == nullptr || moved->to != reading.warden() || moved->doomed) continue;
    const auto end = reading.exit_of(moved->pid);
    if (!end) continue;
    const Nanos lived = reading.between(asked, *end) - reading.machine_late(asked, *end);
    if (lived <= bound) continue;
    const std::string how = "lived on for " + text(reading.between(i, *end)) + " as an orphan";
    std::vector<std::size_t> evidence = evidence_for(reading, moved->pid, *end);
    evidence.push_back(asked);  // the bound counts from it
    return broken(story(reading, moved->pid, how), evidence);
  }
  return std::nullopt;
}

}  // namespace

Verdict no_orphans(const History& history) {
  const Reading reading(history);
  // A command can have seen to it beforehand: by parent-death signals, a PID namespace, or workers that look for themselves.
  if (reading.killed_from_outside() && !reading.is_command()) {
    return skipped("the rig killed the supervisor (SIGKILL), and could bring nobody down");
  }
  std::optional<std::size_t> census;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history[i].as<CensusTaken>() != nullptr) census = i;
  }
  if (!census) return unknown("no census was taken");
  if (const auto verdict = survivor(reading, *census)) return *verdict;
  const auto asked = reading.asked();
  if (asked) {
    if (const auto verdict = outlived_the_bound(history, reading, *asked)) return *verdict;
  }
  if (!reading.at<CensusTaken>(*census).complete) return unknown("the census could not be completed", {*census});
  if (!reading.supervisor_end() && reading.is_command() && !reading.owed() && (asked || reading.first<FaultFired>())) {
    return skipped("nobody asked the supervisor to end, and it goes on: what it has started is its own");
  }
  if (!reading.supervisor_end() && asked) {
    return skipped("the supervisor has not ended in its time, which is teardown-bounded's matter, and nobody has lost it");
  }
  if (!reading.supervisor_end()) return unknown("the supervisor had not concluded at the deadline", {*census});
  return held("nobody was left when the supervisor had ended", {*census});
}

}  // namespace forkproof::oracles
