#include "harness/fuzz/emit_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz::emit {
namespace {

Trouble trouble_of(const Case& one, const Profile& profile) {
  if (one.faults.size() > 1) refuse("more than one fault");
  if (one.faults.empty()) return Trouble::none;
  const FaultSpec& fault = one.faults.front();
  if (fault.fault == "supervisor-killed") return Trouble::killed;
  const std::int64_t status = fault.number("status", 0);
  if (fault.word("after", "") == "start") refuse("heartbeat-reply after start: a race of the first instant, which the rig holds open");
  const auto& revoked = profile.revoked_statuses;
  if (std::find(revoked.begin(), revoked.end(), status) != revoked.end()) return Trouble::revoked;
  if (profile.failed_heartbeat == FailedHeartbeat::raised) return Trouble::refused_once;
  if (status < 400 || status >= 500) refuse(fmt::format("heartbeat-reply {}: counted failures are the rig's", status));
  return Trouble::failed_often;
}

}  // namespace

void refuse(const std::string& what) { throw BadInput("--emit cpp: " + what); }

Plan plan_of(const Case& one, const std::string& oracle) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  const Profile& profile = model->profile;
  // That nobody is revoked before the tree is up, this program sees to anyway.
  const auto needs_rig = [](const HoldRule& hold) { return hold.at != "heartbeat" || !hold.until_who.empty() || hold.until_at != "ready"; };
  if (std::any_of(one.holds.begin(), one.holds.end(), needs_rig) || !one.schedule.empty()) refuse("an order of events is held by the rig");
  const auto* backend = spawn::find_backend(model->backend);
  if (backend == nullptr) refuse("no spawn backend '" + model->backend + "'");
  const Plan plan{one, profile, oracle, backend->execs, trouble_of(one, profile)};
  if (oracle == "no-lost-output" && !plan.captures()) {
    refuse("no-lost-output with capture " + std::string(word(profile.capture)) + ": only a pipe or a socket is read");
  }
  if (oracle == "state-reported" && plan.trouble == Trouble::failed_often) {
    refuse("state-reported after failed heartbeats: how the task took its end decides");
  }
  return plan;
}

}  // namespace forkproof::fuzz::emit
