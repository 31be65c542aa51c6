#include <algorithm>
#include <exception>

#include "harness/core/error.h"
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

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

/// The last words of a command, in one line that is not too long; empty when it said nothing.
std::string last_words(const Reading& reading) {
  constexpr std::size_t most = 200;
  const auto output = reading.first<CommandOutput>();
  if (!output || reading.at<CommandOutput>(*output).bytes == 0) return ", having printed nothing";
  std::string tail = reading.at<CommandOutput>(*output).tail;
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == '\r')) tail.pop_back();
  if (tail.size() > most) tail = "..." + tail.substr(tail.size() - most);
  return "; it printed: " + tail;
}

/// How many a census found beside the supervisor.
std::size_t others_alive(const Reading& reading) {
  const auto census = reading.first<CensusTaken>();
  if (!census) return 0;
  const auto& found = reading.at<CensusTaken>(*census).processes;
  return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&reading](const CensusEntry& entry) {
    return entry.state != "Z" && entry.pid != reading.supervisor();
  }));
}

/// Why the rig had sent the command a signal before it ended: "the supervisor is stuck: the rig sends it SIGTERM". Empty
/// when it had not. Such an end is not the command's own.
std::string signalled_by_the_rig(const Reading& reading, std::size_t end) {
  const auto sent = reading.first<Signalled>([&reading](const Signalled& signalled) {
    const bool to_it = signalled.target == reading.supervisor() || signalled.target == -reading.supervisor();
    return signalled.by == reading.warden() && to_it && signalled.error == 0;
  });
  if (!sent || *sent > end) return {};
  const auto asked = reading.first<TeardownAsked>();
  return asked && *asked < *sent ? reading.at<TeardownAsked>(*asked).because
                                 : "the rig sent it " + signal_name(reading.at<Signalled>(*sent).signal);
}

/// Why a command was not what was to be asked: a supervisor with the tree under it. Empty where it was, and for a model
/// supervisor, who may have been told not to start one.
std::string not_a_supervised_tree(const History& history) {
  const Reading reading(history);
  if (!reading.is_command()) return {};
  if (const auto limit = reading.first<LimitReached>()) {
    const auto& reached = reading.at<LimitReached>(*limit);
    return "the command had " + std::to_string(reached.count) + " " + reached.what + ", more than the " +
           std::to_string(reached.limit) + " that an arena gives: the run was ended";
  }
  if (const auto failed = reading.first<CommandNotStarted>()) {
    const auto& event = reading.at<CommandNotStarted>(*failed);
    return "the command could not be started: " + (event.error == 0 ? event.what : error_text(event.what, event.error));
  }
  const auto replaced = reading.first<Ready>([&](const Ready& ready) { return ready.pid == reading.supervisor(); });
  if (replaced) return "the command has become the task itself (exec): nobody is left who supervises it";
  const auto ready = reading.first<TreeReady>();
  const auto end = reading.supervisor_end();
  const bool was_up = ready && (!end || *ready < *end);
  const bool struck = case_of(history).faults.empty() || reading.first<FaultEstablished>();
  if (was_up && (!end || struck)) return {};
  if (!ready && reading.refused_start() && (end || reading.first<DeadlinePassed>())) return {};  // no tree is what was to come of it
  const std::string when = was_up ? "before the fault could be brought on" : "before the task tree was up";
  if (!end) return "the task tree never came up" + last_words(reading);
  const std::string status = reading.at<Exited>(*end).status.text();
  if (const std::string why = signalled_by_the_rig(reading, *end); !why.empty()) {
    return "the rig ended the command (" + status + ") " + when + ": " + why + last_words(reading);
  }
  const std::size_t others = others_alive(reading);
  if (others == 0) return "the command ended (" + status + ") " + when + last_words(reading);
  return "the command's first process ended (" + status + ") " + when + ", and " + std::to_string(others) +
         (others == 1 ? " process lives" : " processes live") + " on without it: it went to the background" + last_words(reading);
}

/// Why a promise that seems to have been kept cannot be said to: a race that a hold was to bring about was not, since nobody
/// came to the point. What broke all the same is broken, whatever else was to be asked. A supervisor that is stuck after a
/// fault comes to no more of its points, as above. Not asked is whether what the hold waited for came: who came to the point
/// after it was not held, and who was let go since its partner had ended had been held through all that one ever did.
std::string not_the_order(const History& history) {
  if (stuck_after_a_fault(history)) return {};
  const Reading reading(history);
  for (const HoldRule& rule : case_of(history).holds) {
    const auto reached = reading.first<SyncPointReached>([&rule](const SyncPointReached& point) {
      return point.role == rule.who && point.point == rule.at && point.number == rule.number;
    });
    if (reached) continue;
    const std::string time = rule.number == 1 ? "" : ", time " + std::to_string(rule.number) + ",";
    return "the hold of " + rule.who + " at " + rule.at + time + " was never reached";
  }
  return {};
}

/// Why this history cannot carry any verdict; empty when it can.
std::string not_whole(const History& history) {
  if (!history.damage.empty()) return "the history is damaged: " + history.damage;
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
  return {};
}

std::string case_end(const History& history) {
  std::string because;
  for (const Event& event : history.events()) {
    if (const auto* end = event.as<RunEnded>()) because = end->because;
  }
  return because;
}

/// A promise that was broken by a proof, whatever the scenario was about: processes that wait for each other do so for good.
bool is_proved_break(const OracleRow& row, const Verdict& verdict, const History& history) {
  if (row.key != "no-stuck-process" || verdict.outcome != Outcome::broken || verdict.evidence.empty()) return false;
  const auto* stuck = history[verdict.evidence.back()].as<Stuck>();
  return stuck != nullptr && stuck->proved;
}

/// Why what the scenario asks for was not brought on; empty when it was.
std::string not_the_question(const History& history) {
  const std::string because = case_end(history);
  if (std::string reason = not_a_supervised_tree(history); !reason.empty()) return reason;
  const bool came_no_further = stuck_after_a_fault(history);
  for (const FaultSpec& fault : case_of(history).faults) {
    if (came_no_further && !told_of<FaultEstablished>(history, fault.fault)) continue;
    if (!told_of<FaultEstablished>(history, fault.fault)) {
      return "the fault " + fault.fault + " was never established (" + because + ")";
    }
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
  std::string broken_off, reason, other_order;
  try {
    broken_off = not_whole(history);
    reason = broken_off.empty() ? not_the_question(history) : broken_off;
    if (reason.empty()) other_order = not_the_order(history);
  } catch (const std::exception& error) {
    broken_off = reason = error.what();
  }
  std::map<std::string, Verdict> verdicts;
  for (const OracleRow& row : oracles()) {
    Verdict& verdict = verdicts[std::string(row.key)];
    verdict = broken_off.empty() ? judged_by(row, history) : unknown(reason);
    if (!reason.empty() && !is_proved_break(row, verdict, history)) verdict = unknown(reason);
    if (verdict.outcome == Outcome::held && !other_order.empty()) verdict = unknown(other_order);
  }
  return verdicts;
}

}  // namespace forkproof::oracles
