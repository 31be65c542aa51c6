#include "harness/fuzz/emit_supported.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "harness/fuzz/emit_plan.h"

namespace forkproof::fuzz::emit {
namespace {

/// A name, and the words of it that are supported.
struct Supported {
  std::string_view key, words;
};

constexpr Supported knob_values[] = {
    {"task_group", "set-by-both session-in-child shared"},
    {"signal_scope", "task-tree task-group looked-up-group task-process"},
    {"exit_notice", "pidfd poll"},
    {"reaping", "collects leaves"},
    {"sigchld", "default ignored"},
    {"requests_channel", "separate on-stdin"},
    {"capture", "socketpair pipe file null inherited"},
    {"capture_pipe", "at-birth"},
    {"sibling", "none"},
    {"drain", "while-waiting after-exit never"},
    {"listens", "no yes"},
    {"listener", "close-on-exec inheritable"},
    {"scrub", "closes keeps"},
    {"on_cleanup_timeout", "clear-and-leave forget close-selector wait-for-ever"},
    {"selector_reuse", "nothing by-socket by-epoll"},
    {"failed_heartbeat", "counted raised"},
    {"state_on_failure", "concluded lost"},
    {"channels", "passed"},
    {"model", "task-supervisor"},
    // Without effect in such a program: nobody sends a request in it, and nobody tells the supervisor to stop.
    {"request_reading", "as-it-comes blocking"},
    {"on_stop", "forward-and-wait default pass-on warm-shutdown"},
    // Without effect: of a prefork master, which is not supported.
    {"respawn", "back-off always"},
    {"extension", "optional required patched-in-worker-class"},
    {"worker_class", "sync gthread"},
};

constexpr std::string_view backends = "fork fork-exec posix-spawn raw-fork vfork-exec clone3 boost-v1 boost-v2 boost-v2-vfork";

constexpr Supported fault_settings[] = {
    {"heartbeat-reply", "status after"},
    {"supervisor-killed", ""},
    {"fork-after-thread", "lock"},
};

constexpr Answer answers[] = {Answer::dies, Answer::ignores, Answer::goes_on, Answer::exits, Answer::inherits};

bool has_word(std::string_view words, std::string_view word) {
  std::istringstream all{std::string(words)};
  for (std::string each; all >> each;) {
    if (each == word) return true;
  }
  return false;
}

/// "a, b, c" from "a b c".
std::string listed(std::string_view words) {
  std::string list;
  for (const char each : words) list += each == ' ' ? std::string(", ") : std::string(1, each);
  return list;
}

template <std::size_t count>
const Supported* find(const Supported (&rows)[count], std::string_view key) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [key](const Supported& row) { return row.key == key; });
  return found == std::end(rows) ? nullptr : found;
}

void check_knobs(const Profile& profile) {
  for (const Knob& knob : knobs()) {
    const std::string_view word = knob.values[knob.get(profile)].word;
    if (supports(knob.key, word)) continue;
    const Supported* row = find(knob_values, knob.key);
    refuse(row == nullptr ? fmt::format("the policy {} is not supported", knob.key)
                          : fmt::format("{} = \"{}\" is not supported; of {}: {}", knob.key, word, knob.key, listed(row->words)));
  }
}

void check_answer(const TaskNode& node, const char* key, Answer answer) {
  if (std::find(std::begin(answers), std::end(answers), answer) != std::end(answers)) return;
  std::string words;
  for (const Answer each : answers) words += fmt::format("{}{}", words.empty() ? "" : ", ", word(each));
  refuse(fmt::format("{} = \"{}\" of '{}' is not supported; of {}: {}", key, word(answer), node.role, key, words));
}

void check_node(const TaskNode& node) {
  check_answer(node, "on_term", node.on_term);
  check_answer(node, "on_int", node.on_int);
  if (node.sigint != SigintSetup::none) refuse("a task's ways with SIGINT need the rig");
  for (const TaskNode& child : node.children) check_node(child);
}

void check_fault(const FaultSpec& fault) {
  const Supported* row = find(fault_settings, fault.fault);
  if (row == nullptr) {
    std::string known;
    for (const Supported& each : fault_settings) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.key);
    refuse(fmt::format("the fault {} needs the rig; supported: {}", fault.fault, known));
  }
  for (const auto& [key, value] : fault.settings) {
    if (!has_word(row->words, key)) refuse(fmt::format("{} of the fault {} is not supported", key, fault.fault));
  }
}

}  // namespace

bool supports(std::string_view knob, std::string_view word) {
  const Supported* row = find(knob_values, knob);
  return row != nullptr && has_word(row->words, word);
}

void check_supported(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model == nullptr) refuse("a command is a program already");
  check_knobs(model->profile);
  if (!has_word(backends, model->backend)) {
    refuse(fmt::format("backend {} needs the rig; supported: {}", model->backend, listed(backends)));
  }
  if (one.tree.double_fork) refuse(fmt::format("double_fork of '{}', the root, is not supported", one.tree.role));
  check_node(one.tree);
  for (const FaultSpec& fault : one.faults) check_fault(fault);
}

}  // namespace forkproof::fuzz::emit
