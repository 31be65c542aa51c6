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
  if (fault.fault != "heartbeat-reply") refuse("the fault " + fault.fault + " needs the rig");
  const std::int64_t status = fault.number("status", 0);
  if (fault.word("after", "") == "start") refuse("heartbeat-reply after start: a race of the first instant, which the rig holds open");
  if (status == 0) refuse("heartbeat-reply " + fault.word("reply", "") + ": a server's silence and noise are the rig's");
  const auto& revoked = profile.revoked_statuses;
  if (std::find(revoked.begin(), revoked.end(), status) != revoked.end()) return Trouble::revoked;
  if (status < 400 || status >= 500) refuse(fmt::format("heartbeat-reply {}: counted failures are the rig's", status));
  return profile.failed_heartbeat == FailedHeartbeat::raised ? Trouble::refused_once : Trouble::failed_often;
}

void check_node(const TaskNode& node) {
  if (node.sigint != SigintSetup::none) refuse("a task's ways with SIGINT need the rig");
  if (node.on_term == Answer::forks) refuse("'" + node.role + "' forks in its handler");
  for (const TaskNode& child : node.children) check_node(child);
}

}  // namespace

void refuse(const std::string& what) { throw BadInput("--emit cpp: " + what); }

Plan plan_of(const Case& one, const std::string& oracle) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model == nullptr) refuse("a command is a program already");
  const Profile& profile = model->profile;
  if (profile.model != Model::task_supervisor) refuse("a prefork master needs the rig");
  if (profile.channels == ChannelPassing::lost) refuse("channels that are not passed need the rig");
  // That nobody is revoked before the tree is up, this program sees to anyway.
  const auto needs_rig = [](const HoldRule& hold) { return hold.at != "heartbeat" || !hold.until_who.empty() || hold.until_at != "ready"; };
  if (std::any_of(one.holds.begin(), one.holds.end(), needs_rig) || !one.schedule.empty()) refuse("an order of events is held by the rig");
  if (profile.capture == Capture::pipe_over_quota || profile.capture == Capture::pty) {
    refuse("capture by " + std::string(word(profile.capture)));
  }
  const auto* backend = spawn::find_backend(model->backend);
  if (backend == nullptr) refuse("no spawn backend '" + model->backend + "'");
  if (model->backend == "forkserver" || model->backend == "worker-thread-fork") {
    refuse("backend " + model->backend + ": its go-between is the rig's");
  }
  check_node(one.tree);
  const Plan plan{one, profile, oracle, backend->execs, trouble_of(one, profile)};
  if (oracle == "state-reported" && plan.trouble == Trouble::failed_often) {
    refuse("state-reported after failed heartbeats: how the task took its end decides");
  }
  return plan;
}

}  // namespace forkproof::fuzz::emit
