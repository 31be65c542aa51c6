// Promise `no-crash`: the supervisor does not die of a fault of its own. Of a command, four things must come together before a
// report on its output is called its crash, since its children and its task print to the same place:
//  - the line is one with which a known runtime tells of an uncaught exception (core/crash_lines.def);
//  - a process that supervises the task has ended as that runtime then ends it;
//  - that process ran a program of that runtime;
//  - it did nothing more that could be seen, and nothing was printed after the report.
// A death by SIGSEGV and its like counts where the kernel or the process itself has sent the signal.
#include <map>
#include <set>

#include "harness/core/crash_lines.h"
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

/// SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: x86-64 and arm64 have the same numbers.
bool is_crash_signal(int signal) { return signal == 4 || signal == 6 || signal == 7 || signal == 8 || signal == 11; }

/// The command's own code: what supervises the task, and what it has forked, or started anew, of the same program.
std::set<Pid> own_processes(const History& history, const Reading& reading) {
  std::set<Pid> own = reading.supervising();
  for (const Event& event : history.events()) {
    const auto* spawned = event.as<Spawned>();
    if (spawned == nullptr || spawned->node != stranger_node || !own.contains(spawned->parent)) continue;
    const std::string program = reading.program_of(spawned->pid);
    if (program.empty() || program == reading.program_of(spawned->parent)) own.insert(spawned->pid);
  }
  return own;
}

bool sent_by_the_rig(const Reading& reading, Pid pid, int signal) {
  return reading.first<Signalled>([&](const Signalled& sent) {
    const bool meant = sent.target == pid || sent.target == -reading.supervisor();
    return sent.by == reading.warden() && meant && sent.signal == signal && sent.error == 0;
  }).has_value();
}

std::optional<std::size_t> last_sight_of(const History& history, Pid pid, int signal, std::size_t end) {
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* seen = history[i].as<SignalSeen>();
    if (seen != nullptr && seen->pid == pid && seen->signal == signal && history[i].at <= history[end].at) last = i;
  }
  return last;
}

/// The report's row where it fits the way in which the process ended.
const CrashLineRow* row_that_fits(const Reading& reading, const std::optional<std::size_t>& report, WaitStatus status) {
  const CrashLineRow* row = report ? find_crash_line(reading.at<CrashLineSeen>(*report).runtime) : nullptr;
  return row != nullptr && is_end_of(*row, status) ? row : nullptr;
}

/// What is known of a death by a signal that may be a crash; nothing where it is none.
std::optional<Verdict> died_of(const History& history, const Reading& reading, std::size_t end, const std::optional<std::size_t>& report) {
  const Exited& exited = reading.at<Exited>(end);
  if (!exited.known || !exited.status.signalled() || !is_crash_signal(exited.status.signal())) return std::nullopt;
  const int signal = exited.status.signal();
  if (sent_by_the_rig(reading, exited.pid, signal)) return std::nullopt;
  const std::string died = reading.who(exited.pid) + " died of " + exited.status.text();
  if (row_that_fits(reading, report, exited.status) != nullptr) {
    return broken(died + ", after: " + reading.at<CrashLineSeen>(*report).line, {*report, end});
  }
  const auto sight = last_sight_of(history, exited.pid, signal, end);
  if (!sight) return unknown(died + "; whether somebody sent it that was not seen", {end});
  const SignalSeen& seen = reading.at<SignalSeen>(*sight);
  if (seen.how == "fault" || seen.how == "kernel") return broken(died + ", a fault of its own", {*sight, end});
  if (seen.by == exited.pid) return broken(died + ", which it sent to itself", {*sight, end});
  if (seen.by > 0) return std::nullopt;
  return unknown(died + "; who sent it that was not seen (" + seen.how + ")", {*sight, end});
}

/// How often something was seen that the supervisor did after a report: a request, a start of its task. What the kernel shows
/// is not asked: it can be told late, and seem to come after a report that it came before.
std::size_t deeds_after(const History& history, Nanos since, std::size_t end) {
  std::size_t deeds = 0;
  for (std::size_t i = 0; i < end; ++i) {
    if (history[i].at > since && (history[i].as<Request>() != nullptr || history[i].as<Restarted>() != nullptr)) ++deeds;
  }
  return deeds;
}

/// Whether a log has such a line above a traceback that it has caught.
bool is_a_logs(const std::string& line) {
  for (const char* word : {"ERROR", "CRITICAL", "FATAL", "Error", "error", "xception"}) {
    if (line.find(word) != std::string::npos) return true;
  }
  return false;
}

struct Ended {
  Pid pid = 0;
  std::size_t end = 0;
  bool program_known = true;
};

/// The process that has ended as the report's runtime ends one, of those that supervise the task.
std::optional<Ended> who_ended_so(const History& history, const Reading& reading, const CrashLineRow& row) {
  std::optional<Ended> unsure;
  for (const Pid pid : reading.supervising()) {
    const auto end = reading.exit_of(pid);
    if (!end || !reading.at<Exited>(*end).known || !is_end_of(row, reading.at<Exited>(*end).status)) continue;
    std::string program = reading.program_of(pid);
    if (program.empty() && pid == reading.supervisor()) program = std::get<Command>(case_of(history).subject).argv.front();
    if (!program.empty() && can_be_run_by(row, program)) return Ended{pid, *end, true};
    if (reading.program_of(pid).empty()) unsure = Ended{pid, *end, false};
  }
  return unsure;
}

/// What a report on the command's output comes to; nothing where it is no crash of the command's.
std::optional<Verdict> reported(const History& history, const Reading& reading, std::size_t report) {
  const auto& seen = reading.at<CrashLineSeen>(report);
  const CrashLineRow* row = find_crash_line(seen.runtime);
  if (row == nullptr) return unknown("it printed \"" + seen.line + "\", of a runtime that is not known here", {report});
  const auto who = who_ended_so(history, reading, *row);
  if (!who) return std::nullopt;
  const std::string status = reading.at<Exited>(who->end).status.text();
  const std::string ended = reading.who(who->pid) + " ended (" + status + ") after printing \"" + seen.line + "\"" +
                            (seen.detail.empty() ? "" : ", \"" + seen.detail + "\"");
  const std::vector<std::size_t> evidence{report, who->end};
  const std::size_t deeds = deeds_after(history, seen.since, who->end);
  if (deeds > 1) return std::nullopt;
  if (deeds == 1) return unknown(ended + "; it did one thing more, so it may have caught that", evidence);
  if (const auto asked = reading.owed(); asked && *asked < who->end && reading.time(*asked) > seen.since) {
    return unknown(ended + "; it lived on until it was asked to end, so it may have caught that", evidence);
  }
  if (!seen.next.empty()) return unknown(ended + "; more was printed then, so it may have caught that: " + seen.next, evidence);
  if (is_a_logs(seen.before)) return unknown(ended + "; the line before is a log's, which may have caught that: " + seen.before, evidence);
  if (!who->program_known) return unknown(ended + "; which program it ran was not seen", evidence);
  return broken(ended + ": an uncaught exception (" + std::string(row->key) + ")", evidence);
}

Verdict crash_of_command(const History& history, const Reading& reading) {
  const auto report = reading.first<CrashLineSeen>();
  std::optional<Verdict> worst;
  const auto add = [&worst](std::optional<Verdict> verdict) {
    if (verdict && (!worst || verdict->outcome > worst->outcome)) worst = std::move(verdict);
  };
  for (const Pid pid : own_processes(history, reading)) {
    if (const auto end = reading.exit_of(pid)) add(died_of(history, reading, *end, report));
  }
  if (report) add(reported(history, reading, *report));
  if (worst) return *worst;
  const auto end = reading.supervisor_end();
  if (!end) return held("the command had not ended, and nothing of it had crashed");
  if (!reading.at<Exited>(*end).known) return unknown("how the command ended could not be seen", {*end});
  const std::string how = "the command ended: " + reading.at<Exited>(*end).status.text();
  return held(report ? how + "; \"" + reading.at<CrashLineSeen>(*report).line + "\" on its output was not its end" : how, {*end});
}

/// A model tells itself that its loop has failed; one that comes to no final state then has caught nothing.
Verdict crash_of_model(const History& history, const Reading& reading) {
  const auto failed = reading.first<SubjectFailed>();
  if (failed && !reading.first<StateConcluded>()) {
    std::vector<std::size_t> evidence{*failed};
    if (const auto end = reading.supervisor_end()) evidence.push_back(*end);
    return broken("an exception ended the supervisor: " + reading.at<SubjectFailed>(*failed).what, evidence);
  }
  const auto end = reading.supervisor_end();
  if (!end) return held("the supervisor had not ended");
  const Exited& exited = reading.at<Exited>(*end);
  if (!exited.known) return unknown("how the supervisor ended could not be seen", {*end});
  const bool crashed = exited.status.signalled() && is_crash_signal(exited.status.signal());
  const auto sent = reading.first<Signalled>([&](const Signalled& each) {
    return (each.target == reading.supervisor() || each.target == -reading.supervisor()) && each.signal == exited.status.signal();
  });
  if (crashed && !sent) return broken("the supervisor died of " + exited.status.text(), {*end});
  return held("the supervisor ended: " + exited.status.text(), {*end});
}

}  // namespace

Verdict no_crash(const History& history) {
  const Reading reading(history);
  if (reading.killed_from_outside()) return skipped("the supervisor was killed from outside");
  if (reading.supervisor() == 0) return unknown("the supervisor was never seen");
  return reading.is_command() ? crash_of_command(history, reading) : crash_of_model(history, reading);
}

}  // namespace forkproof::oracles
