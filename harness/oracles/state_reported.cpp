// Promise `state-reported`: exactly one final state; the one that matches what happened; told to the server,
// unless the server decided it (fixtures/supervisor/README.md, After the loop) or the supervisor was told to
// stop before it had started anything. A command is judged by what the server saw of it. A command that never
// asked the server to start its task does not report to it, and is not judged.
#include <algorithm>
#include <optional>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

struct WhatHappened {
  std::string state;          ///< the final state that matches it; empty when it cannot be told
  std::string untold;  ///< why the server need not hear it; empty: it must
  std::size_t shown_by = 0;
};

/// The signal by which the rig told it to stop before it had asked for a start: nothing has begun that could
/// have a state.
std::optional<std::size_t> stopped_before_start(const History& history, const Reading& reading) {
  constexpr std::int32_t interrupt = 2, terminate = 15;
  const bool began = case_of(history).server
                         ? reading.first<Request>([](const Request& request) { return request.what == "run"; }).has_value()
                         : reading.task() != 0 || reading.first<Reaped>().has_value();
  if (began) return std::nullopt;
  return reading.first<Signalled>([&reading](const Signalled& sent) {
    const bool stops = sent.signal == interrupt || sent.signal == terminate;
    return sent.by == reading.warden() && sent.target == reading.supervisor() && stops && sent.error == 0;
  });
}

WhatHappened what_happened(const History& history, const Reading& reading) {
  const Case& one = case_of(history);
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (const auto stopped = stopped_before_start(history, reading)) {
    return {"not-started", "it was told to stop before it had started anything", *stopped};
  }
  const char* server = "the server decided it";
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* reply = history[i].as<Reply>();
    if (reply == nullptr || model == nullptr) continue;
    const auto& revoked = model->profile.revoked_statuses;
    // Status 0: no proper reply at all, which starts nobody either.
    if (reply->what == "run" && (reply->status >= 300 || reply->status == 0)) return {"not-started", server, i};
    const bool revokes = std::find(revoked.begin(), revoked.end(), reply->status) != revoked.end();
    if (reply->what == "heartbeat" && revokes) return {"server-terminated", server, i};
  }
  const auto end = reading.exit_of(reading.task());
  if (!end || !reading.at<Exited>(*end).known) return {};
  return {reading.at<Exited>(*end).status.success() ? "success" : "failed", "", *end};
}

/// How the supervisor came to an end without a final state.
Verdict without_state(const Reading& reading) {
  const auto failed = reading.first<SubjectFailed>();
  const auto end = reading.supervisor_end();
  std::vector<std::size_t> evidence;
  std::string because = "the supervisor came to no final state";
  if (failed) {
    evidence.push_back(*failed);
    because += ": its loop failed with \"" + reading.at<SubjectFailed>(*failed).what + "\"";
  }
  if (end) {
    evidence.push_back(*end);
    const Exited& exited = reading.at<Exited>(*end);
    if (exited.status.signalled()) because += ": it was killed by " + exited.status.text();
    const auto own = reading.first<Signalled>([&](const Signalled& signalled) {
      return signalled.by == reading.supervisor() && signalled.target == -reading.supervisor();
    });
    if (exited.status.signalled() && own) evidence.push_back(*own), because += ", which it sent to its own group";
  } else {
    because += " by the deadline";
  }
  std::sort(evidence.begin(), evidence.end());
  return broken(because, evidence);
}

/// The value of "state" in a request's JSON; empty where there is none.
std::string state_in(const std::string& body) {
  std::size_t at = body.find("\"state\"");
  if (at == std::string::npos) return {};
  at = body.find_first_not_of(" \t\r\n", at + 7);
  if (at == std::string::npos || body[at] != ':') return {};
  at = body.find_first_not_of(" \t\r\n", at + 1);
  if (at == std::string::npos || body[at] != '"') return {};
  return body.substr(at + 1, body.find('"', at + 1) - at - 1);
}

/// The final states that the server has taken: one that got no proper reply may be told again.
std::vector<std::size_t> states_taken(const History& history) {
  std::vector<std::size_t> taken;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* request = history[i].as<Request>();
    if (request != nullptr && request->what == "state") open = i;
    const auto* reply = history[i].as<Reply>();
    if (reply == nullptr || reply->what != "state" || !open) continue;
    if (reply->status >= 200 && reply->status < 300) taken.push_back(*open);
    open.reset();
  }
  return taken;
}

/// What the server has decided by itself: that the task does not start, or is this supervisor's no more.
std::optional<std::size_t> servers_decision(const History& history, const Reading& reading) {
  const auto refused = reading.refused_start();
  if (refused && reading.at<Reply>(*refused).status < 500) return refused;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* reply = history[i].as<Reply>();
    const bool revokes = reply != nullptr && reply->what == "heartbeat" && (reply->status == 404 || reply->status == 409 || reply->status == 410);
    if (revokes) return i;
  }
  return std::nullopt;
}

/// Whether a state that was told matches the task's end. Each supervisor has words of its own: of these two
/// nobody doubts.
Verdict judge_word(const History& history, const Reading& reading, std::size_t told) {
  const std::string body = reading.at<Request>(told).body, state = state_in(body);
  if (state.empty()) return skipped("the server was told a final state once, in words that are not known here: " + body);
  const auto end = reading.last_exit_of_task();
  if (!end || !reading.at<Exited>(*end).known) return skipped("the server was told '" + state + "'; how the task ended was not seen");
  const WaitStatus status = reading.at<Exited>(*end).status;
  const std::string both = "the server was told '" + state + "', and the task's end was " + status.text();
  const std::vector<std::size_t> evidence{*end, told};
  const auto asked = reading.owed();
  if (state == "success") return status.success() ? held(both, evidence) : broken(both, evidence);
  if (state != "failed") return skipped(both + "; whether the one means the other is not known here");
  // One that was asked to end may call it failed, however its task has ended.
  if (status.success() && !(asked && *asked < *end)) return broken(both, evidence);
  return held(both, evidence);
}

/// A task that was started though the server had refused it.
std::optional<Verdict> started_all_the_same(const History& history, const Reading& reading) {
  const auto refused = reading.refused_start();
  if (!refused) return std::nullopt;
  const auto start = reading.first<Spawned>([](const Spawned& spawned) { return spawned.node == 0; });
  if (!start || *start < *refused || reading.at<Reply>(*refused).status >= 500) return std::nullopt;
  const auto granted = reading.first<Reply>([](const Reply& reply) { return reply.what == "run" && reply.status >= 200 && reply.status < 300; });
  if (granted && *granted < *start) return std::nullopt;
  return broken("the server refused to have the task started, and it was started all the same", {*refused, *start});
}

Verdict state_of_command(const History& history, const Reading& reading) {
  if (!case_of(history).server) return skipped("the case has no server to tell a final state");
  if (const auto verdict = started_all_the_same(history, reading)) return *verdict;
  const auto began = reading.first<Request>([](const Request& request) { return request.what == "run"; });
  const std::vector<std::size_t> taken = states_taken(history);
  if (!began && taken.empty()) return skipped("the command told the server nothing of its task's start or end");
  if (taken.size() > 1) return broken("the server was told " + std::to_string(taken.size()) + " final states", taken);
  const auto decided = servers_decision(history, reading);
  if (!taken.empty()) return judge_word(history, reading, taken.front());
  if (decided) return held("no final state was told, which the server had decided", {*decided});
  const auto end = reading.supervisor_end();
  if (!end) return skipped("the command had not ended, so a final state was not due yet");
  const auto tried = reading.first<Request>([](const Request& request) { return request.what == "state"; });
  if (tried) return skipped("a final state was told, and the server did not take it");
  return broken("the command asked the server to start its task, and ended (" + reading.at<Exited>(*end).status.text() +
                    ") without telling it a final state",
                {*began, *end});
}

}  // namespace

Verdict state_reported(const History& history) {
  const Reading reading(history);
  if (reading.is_command() && reading.killed_from_outside()) return skipped("the supervisor was killed from outside, and could tell nobody");
  if (reading.is_command()) return state_of_command(history, reading);
  if (!reading.first<SelectorOpened>()) return skipped("the subject is no model supervisor and tells no final state");
  if (reading.killed_from_outside()) return skipped("the rig killed the supervisor (SIGKILL), and could tell nobody");
  std::vector<std::size_t> concluded;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history[i].as<StateConcluded>() != nullptr) concluded.push_back(i);
  }
  if (concluded.empty()) return without_state(reading);
  if (concluded.size() > 1) return broken("it came to " + std::to_string(concluded.size()) + " final states", concluded);
  const std::string state = reading.at<StateConcluded>(concluded[0]).state;
  const WhatHappened truth = what_happened(history, reading);
  if (truth.state.empty()) return unknown("how the task ended could not be seen", concluded);
  if (state != truth.state) {
    return broken("it concluded '" + state + "', but what happened is '" + truth.state + "'", {truth.shown_by, concluded[0]});
  }
  const auto told = reading.first<Request>([](const Request& request) { return request.what == "state"; });
  if (!truth.untold.empty() && !told) return held("'" + state + "': " + truth.untold, concluded);
  if (!truth.untold.empty()) return broken("it told the server '" + state + "', though " + truth.untold, {*told, concluded[0]});
  if (!told && !case_of(history).server) return held("'" + state + "', with no server to tell", concluded);
  if (!told) return broken("it concluded '" + state + "' and did not tell the server", concluded);
  if (reading.at<Request>(*told).body.find("\"" + state + "\"") == std::string::npos) {
    return broken("it concluded '" + state + "' and told the server " + reading.at<Request>(*told).body, {concluded[0], *told});
  }
  return held("'" + state + "', told to the server", {concluded[0], *told});
}

}  // namespace forkproof::oracles
