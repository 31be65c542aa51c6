// Promise `state-reported`: exactly one final state; the one that matches what happened; told to the server, unless
// the server decided it (facts/airflow.md, After the loop) or the supervisor was told to stop before it had started anything.
#include <algorithm>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

struct WhatHappened {
  std::string state;          ///< the final state that matches it; empty when it cannot be told
  std::string untold;  ///< why the server need not hear it; empty: it must
  std::size_t shown_by = 0;
};

/// The signal by which the rig told it to stop before it had asked for a start: nothing has begun that could have a state.
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

}  // namespace

Verdict state_reported(const History& history) {
  const Reading reading(history);
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
