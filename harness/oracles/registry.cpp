#include <exception>

#include "harness/oracles/oracle.h"

namespace forkproof::oracles {

#define FORKPROOF_ORACLE(name, key, promise) Verdict name(const History& history);
#include "harness/oracles/oracles.def"
#undef FORKPROOF_ORACLE

std::span<const OracleRow> oracles() {
  static constexpr OracleRow rows[] = {
#define FORKPROOF_ORACLE(name, key, promise) {key, promise, name},
#include "harness/oracles/oracles.def"
#undef FORKPROOF_ORACLE
  };
  return rows;
}

namespace {

template <class Kind>
bool told_of(const History& history, const std::string& fault) {
  for (const Event& event : history.events()) {
    const auto* told = event.as<Kind>();
    if (told != nullptr && told->fault == fault) return true;
  }
  return false;
}

/// A supervisor that is stuck comes to nothing more. When it is so after a fault has struck, whatever had not been brought
/// on by then was not asked of it.
bool stuck_after_a_fault(const History& history) {
  Pid supervisor = 0;
  bool struck = false;
  for (const Event& event : history.events()) {
    struck |= event.as<FaultFired>() != nullptr;
    const auto* spawned = event.as<Spawned>();
    if (spawned != nullptr && spawned->node == supervisor_node && supervisor == 0) supervisor = spawned->pid;
    const auto* stuck = event.as<Stuck>();
    if (stuck != nullptr && stuck->pid == supervisor) return struck;
  }
  return false;
}

/// Why this history cannot carry a verdict; empty when it can.
std::string not_the_question(const History& history) {
  if (history.unreadable_lines > 0) return std::to_string(history.unreadable_lines) + " lines cannot be read";
  const RunEnded* ended = nullptr;
  for (const Event& event : history.events()) {
    if (const auto* trouble = event.as<Trouble>()) return "the harness failed: " + trouble->where + ": " + trouble->what;
    if (const auto* end = event.as<RunEnded>()) ended = end;
  }
  if (ended == nullptr) return "the run was cut off";
  if (history.size() != ended->events + 1) {
    return std::to_string(ended->events + 1) + " events were written, " + std::to_string(history.size()) + " are here";
  }
  const bool came_no_further = stuck_after_a_fault(history);
  for (const FaultSpec& fault : case_of(history).faults) {
    if (came_no_further && !told_of<FaultEstablished>(history, fault.fault)) continue;
    if (!told_of<FaultEstablished>(history, fault.fault)) return "the fault " + fault.fault + " was never established";
    if (!told_of<FaultFired>(history, fault.fault)) return "the fault " + fault.fault + " never fired";
  }
  return {};
}

Verdict judged_by(const OracleRow& row, const History& history) {
  try {
    return row.judge(history);
  } catch (const std::exception& error) {
    return unknown(std::string("the oracle failed: ") + error.what());
  }
}

}  // namespace

std::map<std::string, Verdict> judge(const History& history) {
  std::string reason;
  try {
    reason = not_the_question(history);
  } catch (const std::exception& error) {
    reason = error.what();
  }
  std::map<std::string, Verdict> verdicts;
  for (const OracleRow& row : oracles()) {
    verdicts[std::string(row.key)] = reason.empty() ? judged_by(row, history) : unknown(reason);
  }
  return verdicts;
}

}  // namespace forkproof::oracles
