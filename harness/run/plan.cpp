#include "harness/run/plan.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/schedule.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/oracles/oracle.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/target_file.h"
#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

/// The scenario's own, or those that were asked for, or what is both.
std::vector<std::string> chosen(const std::vector<std::string>& own, const std::vector<std::string>& asked, bool only_own) {
  if (asked.empty()) return own;
  if (!only_own) return asked;
  std::vector<std::string> both;
  for (const std::string& name : own) {
    if (std::find(asked.begin(), asked.end(), name) != asked.end()) both.push_back(name);
  }
  return both;
}

void lay_over(Profile& profile, const std::map<std::string, std::string>& chosen) {
  if (const auto workers = chosen.find("workers"); workers != chosen.end()) profile.workers = std::stoi(workers->second);
  for (const Knob& knob : knobs()) {
    const auto found = chosen.find(std::string(knob.key));
    if (found == chosen.end()) continue;
    for (std::size_t i = 0; i < knob.values.size(); ++i) {
      if (knob.values[i].word == found->second) knob.set(profile, i);
    }
  }
}

/// The faults' part on the stage, as a run will have it.
faults::Stage stage_of(const Case& one) {
  faults::Stage stage;
  for (const FaultSpec& spec : one.faults) {
    if (const auto* row = faults::find_fault(spec.fault)) row->make(spec)->set_stage(stage);
  }
  return stage;
}

/// Some heartbeat will fail without revoking the task: then the supervisor's patience with the server counts as well.
bool heartbeats_fail(const ServerPlan& plan, const Profile& profile) {
  const auto& revoked = profile.revoked_statuses;
  const auto fails = [&revoked](const PlannedReply& reply) {
    if (reply.kind != ReplyKind::status) return true;
    return reply.status >= 300 && std::find(revoked.begin(), revoked.end(), reply.status) == revoked.end();
  };
  const auto& planned = plan.from_heartbeat;
  return fails(plan.from_moment) ||
         std::any_of(planned.begin(), planned.end(), [&fails](const auto& entry) { return fails(entry.second); });
}

/// That a schedule from the command line can be read, and fits the tree.
void check_schedule(const scenario::Scenario& scenario, const Choice& choice) {
  if (!choice.schedule) return;
  try {
    forkproof::check_schedule(*choice.schedule, count_nodes(scenario.tree));
  } catch (const BadInput& wrong) {
    throw BadInput(fmt::format("--schedule for {}: {}", scenario.name, wrong.what()));
  }
}

}  // namespace

Vocabulary vocabulary() {
  Vocabulary words;
  for (const auto& row : spawn::backends()) words.backends.emplace_back(row.key);
  words.reserved_backend = spawn::reserved_backend;
  words.profiles = scenario::names_in(scenario::library_directory() + "/profiles");
  for (const auto& row : oracles::oracles()) words.oracles.emplace_back(row.key);
  for (const auto& row : faults::faults()) {
    Vocabulary::FaultWords& fault = words.faults.emplace_back();
    fault.key = row.key, fault.settings.assign(row.settings.begin(), row.settings.end());
    fault.check = row.check, fault.in_subject = row.in_subject;
  }
  using enum Announcer;
  words.sync_points = {{point::forked, root},        {point::before_exec, root},   {point::spawning, supervisor},
                       {point::spawned, supervisor}, {point::heartbeat, supervisor}, {point::stop_signalled, supervisor},
                       {point::queried, server},     {point::concluded, supervisor}, {point::signalling, supervisor},
                       {point::reaped, supervisor},  {point::forking, node},         {point::leaving, node}};
  return words;
}

void check_names(const Choice& choice) {
  std::vector<std::string> known;
  for (const auto& row : spawn::backends()) known.emplace_back(row.key);
  for (const std::string& backend : choice.backends) {
    if (std::find(known.begin(), known.end(), backend) != known.end()) continue;
    if (const std::string reserved = spawn::reserved_backend(backend); !reserved.empty()) throw BadInput(reserved);
    const std::string near = nearest(backend, known);
    throw BadInput("no spawn backend '" + backend + "'" +
                   (near.empty() ? "; `repro list backends` shows them" : " (did you mean '" + near + "'?)"));
  }
  const std::string directory = scenario::library_directory() + "/profiles";
  for (const std::string& profile : choice.profiles) (void)scenario::read_profile(directory, profile);
}

namespace {

/// What a question is, whoever is asked.
Case question_of(const scenario::Scenario& scenario, std::uint64_t seed) {
  Case one;
  one.scenario = scenario.variant.empty() ? scenario.name : scenario.name + "/" + scenario.variant;
  one.question = scenario.question;
  one.tree = scenario.tree;
  one.faults = scenario.faults;
  one.holds = scenario.holds;
  one.server = scenario.server;
  one.seed = seed;
  one.schedule = scenario.schedule;
  return one;
}

}  // namespace

Case make_case(const scenario::Scenario& scenario, Profile profile, const std::string& backend, std::uint64_t seed) {
  lay_over(profile, scenario.knobs);
  Case one = question_of(scenario, seed);
  one.bounds.teardown = declared_teardown(profile) + teardown_slack;
  // Up to 15 requests and pauses in a row: each can be a little late, so the slack counts once more.
  if (heartbeats_fail(stage_of(one).server, profile)) {
    one.bounds.teardown += declared_server_patience(profile) + teardown_slack;
  }
  one.bounds.patience = std::max(scaled(scenario.patience, profile.time_scale), least_patience);
  one.bounds.startup = scenario.startup.value_or(default_startup(profile.time_scale));
  one.subject = ModelSupervisor{std::move(profile), backend};
  return one;
}

Cell cell_of(const scenario::Scenario& scenario, const Command& command, const Choice& choice, std::set<std::string> breaks) {
  for (const FaultSpec& spec : scenario.faults) {
    const auto* row = faults::find_fault(spec.fault);
    if (row == nullptr || !row->in_subject) continue;
    throw BadInput((scenario.path.empty() ? "scenario " + scenario.name : scenario.path) + ": fault " + spec.fault +
                   " acts inside the model supervisor; a command cannot be asked this");
  }
  check_schedule(scenario, choice);
  Case one = question_of(scenario, choice.seed.value_or(scenario.seed.value_or(1)));
  if (choice.schedule) one.schedule = *choice.schedule;
  one.subject = command;
  std::get<Command>(one.subject).shares = choice.shares;
  one.tree = scenario.command_tree;
  one.bounds.teardown = scenario.teardown;
  one.bounds.patience = least_patience;
  one.bounds.startup = scenario.startup.value_or(one.bounds.startup);
  one.bounds.settle = scenario.settle;
  return {std::move(one), std::move(breaks), ""};
}

void check_program(const std::string& program) {
  if (scenario::is_program(program)) return;
  std::error_code ignored;
  if (program.find('/') == std::string::npos) throw BadInput("-- " + program + ": no such command on the PATH");
  if (!std::filesystem::exists(program, ignored)) throw BadInput("-- " + program + ": no such file");
  throw BadInput("-- " + program + (std::filesystem::is_directory(program, ignored) ? ": is a directory" : ": is not executable"));
}

std::vector<Cell> cross(const scenario::Scenario& scenario, const Choice& choice) {
  check_names(choice);
  check_schedule(scenario, choice);
  const std::string directory = scenario::library_directory() + "/profiles";
  const std::vector<std::string> backends = chosen(scenario.backends, choice.backends, choice.only_own);
  std::vector<Cell> cells;
  for (const std::string& name : chosen(scenario.profiles, choice.profiles, choice.only_own)) {
    Profile profile = scenario::read_profile(directory, name);
    if (choice.time_scale) profile.time_scale = *choice.time_scale;
    for (const std::string& backend : backends) {
      Case one = make_case(scenario, profile, backend, choice.seed.value_or(scenario.seed.value_or(1)));
      if (choice.schedule) one.schedule = *choice.schedule;
      cells.push_back({std::move(one), scenario::expected_breaks(scenario, name, backend), ""});
    }
  }
  return cells;
}

}  // namespace forkproof::run
