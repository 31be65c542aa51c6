// Promise `no-zombies`: seen as a zombie in the last census, or left by a supervisor that ended by itself, so that
// PID 1 had to reap it.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

/// A child that had died before its parent, the supervisor, ended of its own accord, and was reaped by PID 1.
std::optional<Verdict> left_behind(const History& history, const Reading& reading) {
  if (reading.supervisor() == 0) return unknown("the supervisor was never seen");
  const auto end = reading.supervisor_end();
  // A supervisor that was killed had no chance.
  if (!end || reading.at<Exited>(*end).status.signalled()) return std::nullopt;
  // Who tells nothing of itself may rightly leave to PID 1 what dies while it is on its way out.
  const auto asked = reading.is_command() ? reading.asked() : std::nullopt;
  std::optional<Verdict> unsure;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* reaped = history[i].as<Reaped>();
    if (reaped == nullptr || reaped->by != reading.warden() || reaped->pid == reading.supervisor()) continue;
    const auto died = reading.exit_of(reaped->pid);
    if (!died || *died > asked.value_or(*end)) continue;
    const Pid parent = reading.parent_at(reaped->pid, *died);
    // Whom we start ourselves, we introduce; of what a command starts beside that nobody may have told.
    if (parent == 0 && !reading.is_command()) unsure = unknown(reading.who(reaped->pid) + " was reaped by PID 1, and whose child it was nobody saw", {*died, i});
    if (parent != reading.supervisor()) continue;
    return broken(reading.who(reaped->pid) + " was dead for " + text(reading.between(*died, *end)) +
                      " when the supervisor ended without having reaped it",
                  {*died, *end, i});
  }
  return unsure;
}

}  // namespace

Verdict no_zombies(const History& history) {
  const Reading reading(history);
  std::optional<std::size_t> census;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history[i].as<CensusTaken>() != nullptr) census = i;
  }
  if (!census) return unknown("no census was taken");
  const auto& taken = reading.at<CensusTaken>(*census);
  for (const CensusEntry& entry : taken.processes) {
    if (entry.state != "Z" || entry.parent == reading.warden()) continue;
    // Nobody brings the tree down any more, so it is seen as it lives, and who ends in it is reaped when its parent comes to it.
    if (reading.killed_from_outside()) return skipped("the supervisor was killed from outside, and could reap nobody any more");
    return broken(reading.who(entry.pid) + " is dead and " + reading.who(entry.parent) + " has not reaped it", {*census});
  }
  if (const auto verdict = left_behind(history, reading)) return *verdict;
  if (!taken.complete) return unknown("the census could not be completed", {*census});
  return held("no dead child of the supervisor or its tree was left unreaped at the end", {*census});
}

}  // namespace forkproof::oracles
