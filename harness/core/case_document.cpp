// The case as JSON: the first event of each history.
#include "harness/core/history.h"
#include "harness/core/json_fields.h"

namespace forkproof {
namespace {

using json_fields::Json;

Json json_of(const TaskNode& node) {
  Json object{{"role", node.role},
              {"on_term", word(node.on_term)},
              {"on_int", word(node.on_int)},
              {"keeps", node.keeps},
              {"own_session", node.own_session},
              {"double_fork", node.double_fork},
              {"ends_with_children", node.ends_with_children},
              {"output_bytes", node.output_bytes},
              {"write_size_bytes", node.write_size_bytes},
              {"sigint", word(node.sigint)},
              {"exit_code", node.exit_code},
              {"children", Json::array()}};
  if (node.exits_after) object["exits_after_ns"] = node.exits_after->count();
  for (const TaskNode& child : node.children) object["children"].push_back(json_of(child));
  return object;
}

Answer answer_in(const Json& json) {
  const auto answer = answer_from(json.get<std::string>());
  if (!answer) throw std::runtime_error("unknown answer to a signal");
  return *answer;
}

SigintSetup sigint_in(const Json& json) {
  const auto word = json.get<std::string>();
  if (word.empty()) return SigintSetup::none;
  for (const SigintRow& row : sigint_setups()) {
    if (row.word == word) return row.setup;
  }
  throw std::runtime_error("unknown way to stand to SIGINT: " + word);
}

TaskNode node_in(const Json& json, std::size_t level = 1) {
  if (level > max_levels) throw std::runtime_error("the tree is too deep");
  TaskNode node;
  node.role = json.at("role");
  node.on_term = answer_in(json.at("on_term"));
  node.on_int = answer_in(json.at("on_int"));
  node.keeps = json.at("keeps");
  node.own_session = json.at("own_session");
  node.double_fork = json.at("double_fork");
  node.ends_with_children = json.at("ends_with_children");
  node.output_bytes = json.at("output_bytes");
  node.write_size_bytes = json.at("write_size_bytes");
  node.sigint = sigint_in(json.at("sigint"));
  node.exit_code = json.at("exit_code");
  if (json.contains("exits_after_ns")) node.exits_after = json_fields::nanos(json.at("exits_after_ns"));
  for (const Json& child : json.at("children")) node.children.push_back(node_in(child, level + 1));
  return node;
}

Json json_of(const Profile& profile) {
  Json object{{"name", profile.name},
              {"about", profile.about},
              {"source", profile.source},
              {"time_scale", profile.time_scale},
              {"stop_signals", profile.stop_signals},
              {"stop_delay_ns", profile.stop_delay.count()},
              {"socket_cleanup_ns", profile.socket_cleanup.count()},
              {"heartbeat_interval_ns", profile.heartbeat_interval.count()},
              {"heartbeat_timeout_ns", profile.heartbeat_timeout.count()},
              {"max_failed_heartbeats", profile.max_failed_heartbeats},
              {"http_attempts", profile.http_attempts},
              {"http_timeout_ns", profile.http_timeout.count()},
              {"http_retry_first_ns", profile.http_retry_first.count()},
              {"http_retry_most_ns", profile.http_retry_most.count()},
              {"workers", profile.workers},
              {"respawn_delay_ns", profile.respawn_delay.count()},
              {"revoked_statuses", profile.revoked_statuses}};
  for (const Knob& knob : knobs()) object["knobs"][std::string(knob.key)] = knob.values[knob.get(profile)].word;
  return object;
}

Profile profile_in(const Json& json) {
  Profile profile;
  profile.name = json.at("name");
  profile.about = json.at("about");
  profile.source = json.at("source");
  profile.time_scale = json.at("time_scale");
  profile.stop_signals = json.at("stop_signals").get<std::vector<int>>();
  profile.stop_delay = json_fields::nanos(json.at("stop_delay_ns"));
  profile.socket_cleanup = json_fields::nanos(json.at("socket_cleanup_ns"));
  profile.heartbeat_interval = json_fields::nanos(json.at("heartbeat_interval_ns"));
  profile.heartbeat_timeout = json_fields::nanos(json.at("heartbeat_timeout_ns"));
  profile.max_failed_heartbeats = json.at("max_failed_heartbeats");
  profile.http_attempts = json.at("http_attempts");
  profile.http_timeout = json_fields::nanos(json.at("http_timeout_ns"));
  profile.http_retry_first = json_fields::nanos(json.at("http_retry_first_ns"));
  profile.http_retry_most = json_fields::nanos(json.at("http_retry_most_ns"));
  profile.workers = json.at("workers");
  profile.respawn_delay = json_fields::nanos(json.at("respawn_delay_ns"));
  profile.revoked_statuses = json.at("revoked_statuses").get<std::vector<int>>();
  for (const Knob& knob : knobs()) {
    const std::string wanted = json.at("knobs").at(std::string(knob.key));
    std::size_t index = 0;
    while (index < knob.values.size() && knob.values[index].word != wanted) ++index;
    if (index == knob.values.size()) throw std::runtime_error("unknown value of " + std::string(knob.key));
    knob.set(profile, index);
  }
  return profile;
}

Json json_of(const FaultSpec& fault) {
  Json object{{"fault", fault.fault}, {"settings", Json::object()}};
  for (const auto& [key, value] : fault.settings) {
    std::visit([&object, &key = key](const auto& plain) { object["settings"][key] = plain; }, value);
  }
  if (fault.delay > Nanos{}) object["delay_ns"] = fault.delay.count();
  return object;
}

FaultSpec fault_in(const Json& json) {
  FaultSpec fault;
  fault.fault = json.at("fault");
  for (const auto& [key, value] : json.at("settings").items()) {
    if (value.is_string()) fault.settings[key] = value.get<std::string>();
    else fault.settings[key] = value.get<std::int64_t>();
  }
  if (json.contains("delay_ns")) fault.delay = json_fields::nanos(json.at("delay_ns"));
  return fault;
}

Json json_of(const HoldRule& hold) {
  return {{"who", hold.who}, {"at", hold.at}, {"number", hold.number},
          {"until_who", hold.until_who}, {"until_at", hold.until_at}};
}

HoldRule hold_in(const Json& json) {
  return {json.at("who"), json.at("at"), json.at("number"), json.at("until_who"), json.at("until_at")};
}

Json json_of(const Command& command) {
  Json object{{"argv", command.argv},
              {"target", command.target},
              {"files", Json::array()},
              {"environment", command.environment},
              {"shares", command.shares},
              {"passes_exit_status", command.passes_exit_status}};
  for (const CommandFile& file : command.files) {
    object["files"].push_back({{"path", file.path}, {"text", file.text}, {"executable", file.executable}});
  }
  return object;
}

Command command_in(const Json& json) {
  Command command{json.at("argv").get<std::vector<std::string>>()};
  command.target = json.at("target");
  for (const Json& file : json.at("files")) {
    command.files.push_back({file.at("path"), file.at("text"), file.at("executable")});
  }
  command.environment = json.at("environment").get<std::map<std::string, std::string>>();
  if (json.contains("shares")) command.shares = json.at("shares").get<std::vector<std::string>>();
  command.passes_exit_status = json.at("passes_exit_status");
  return command;
}

Json json_of(const Subject& subject) {
  if (const auto* command = std::get_if<Command>(&subject)) return json_of(*command);
  const auto& model = std::get<ModelSupervisor>(subject);
  return {{"profile", json_of(model.profile)}, {"backend", model.backend}};
}

Subject subject_in(const Json& json) {
  if (json.contains("argv")) return command_in(json);
  return ModelSupervisor{profile_in(json.at("profile")), json.at("backend")};
}

}  // namespace

std::string to_document(const Case& one) {
  Json object{{"scenario", one.scenario},
              {"question", one.question},
              {"subject", json_of(one.subject)},
              {"tree", json_of(one.tree)},
              {"faults", Json::array()},
              {"holds", Json::array()},
              {"server", one.server},
              {"bounds",
               {{"teardown_ns", one.bounds.teardown.count()},
                {"patience_ns", one.bounds.patience.count()},
                {"startup_ns", one.bounds.startup.count()},
                {"settle_ns", one.bounds.settle.count()}}},
              {"seed", one.seed},
              {"schedule", one.schedule}};
  for (const FaultSpec& fault : one.faults) object["faults"].push_back(json_of(fault));
  for (const HoldRule& hold : one.holds) object["holds"].push_back(json_of(hold));
  // A command's words may hold any bytes.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Case case_from(std::string_view document) {
  const Json json = Json::parse(document);
  Case one;
  one.scenario = json.at("scenario");
  one.question = json.at("question");
  one.subject = subject_in(json.at("subject"));
  one.tree = node_in(json.at("tree"));
  for (const Json& fault : json.at("faults")) one.faults.push_back(fault_in(fault));
  for (const Json& hold : json.at("holds")) one.holds.push_back(hold_in(hold));
  one.server = json.at("server");
  one.bounds.teardown = json_fields::nanos(json.at("bounds").at("teardown_ns"));
  one.bounds.patience = json_fields::nanos(json.at("bounds").at("patience_ns"));
  one.bounds.startup = json_fields::nanos(json.at("bounds").at("startup_ns"));
  // Histories from before there was one have none.
  if (json.at("bounds").contains("settle_ns")) one.bounds.settle = json_fields::nanos(json.at("bounds").at("settle_ns"));
  one.seed = json.at("seed");
  one.schedule = json.value("schedule", "");  // histories from before there was one
  return one;
}

}  // namespace forkproof
