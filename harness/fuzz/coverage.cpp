#include "harness/fuzz/coverage.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "harness/faults/fault.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz {
namespace {

constexpr std::array<std::pair<Keeps, const char*>, 3> kept{{{keeps_stdin, "stdin"}, {keeps_stdout, "stdout"}, {keeps_stderr, "stderr"}}};

void add_tree(const TaskNode& node, bool root, std::set<std::string>* words) {
  words->insert(fmt::format("on_term {}", word(node.on_term)));
  words->insert(fmt::format("on_int {}", word(node.on_int)));
  if (node.sigint != SigintSetup::none) words->insert(fmt::format("sigint {}", word(node.sigint)));
  if (node.own_session) words->insert("own_session");
  if (node.double_fork) words->insert("double_fork");
  if (node.ends_with_children) words->insert("ends_with_children");
  if (node.exits_after) words->insert("exits_after");
  if (node.exit_code != 0) words->insert("exit_code");
  if (node.output_bytes > 0) words->insert("output_bytes");
  if (!root && node.keeps == keeps_none) words->insert("keeps nothing");
  if (!root && node.keeps == keeps_all) words->insert("keeps all");
  for (const auto& [flag, name] : kept) {
    if (!root && node.keeps != keeps_all && (node.keeps & flag) != 0) words->insert(fmt::format("keeps {}", name));
  }
  for (const TaskNode& child : node.children) add_tree(child, false, words);
}

/// Of a number and of free text only that it was set: nobody can draw them all.
void add_fault(const FaultSpec& fault, std::set<std::string>* words) {
  words->insert("fault " + fault.fault);
  for (const Setting& setting : faults::find_fault(fault.fault)->settings) {
    const std::string key(setting.key);
    if (!fault.settings.contains(key)) continue;
    words->insert(setting.words.empty() ? fmt::format("{} {}", fault.fault, key)
                                        : fmt::format("{} {} {}", fault.fault, key, fault.word(key, "")));
  }
}

bool is_shape(const Knob& knob) {
  return std::all_of(knob.values.begin(), knob.values.end(), [](const KnobValue& value) { return value.worth == Worth::shape; });
}

std::string size_of(const TaskNode& tree) {
  const std::size_t nodes = count_nodes(tree);
  return nodes == 1 ? "tree of 1" : nodes <= 3 ? "tree of 2 to 3" : nodes <= 6 ? "tree of 4 to 6" : "tree of 7 and more";
}

bool survivable_anywhere(const Space& space, const FaultSpec& fault) {
  return std::any_of(space.backends.begin(), space.backends.end(),
                     [&](const std::string& backend) {
                       return may_have(space, fault, backend, Model::task_supervisor) ||
                              may_have(space, fault, backend, Model::prefork_master);
                     });
}

void expect_faults(const Space& space, std::map<std::string, std::uint64_t>* words) {
  for (const faults::FaultRow& row : faults::faults()) {
    if (!space.faults.contains(std::string(row.key))) continue;
    bool any = !row.in_subject;
    for (const Setting& setting : row.settings) {
      if (setting.key == "asks_teardown") continue;  // of a command; a model supervisor owes its end in each case
      if (setting.words.empty()) (*words)[fmt::format("{} {}", row.key, setting.key)];
      std::istringstream allowed{std::string(setting.words)};
      for (const std::string& each : std::vector<std::string>(std::istream_iterator<std::string>(allowed), {})) {
        if (row.in_subject && !survivable_anywhere(space, {std::string(row.key), {{std::string(setting.key), each}}})) continue;
        (*words)[fmt::format("{} {} {}", row.key, setting.key, each)];
        any = true;
      }
    }
    if (any) (*words)[fmt::format("fault {}", row.key)];
  }
}

void expect_tree(std::map<std::string, std::uint64_t>* words) {
  for (const Answer answer : {Answer::dies, Answer::ignores, Answer::goes_on, Answer::exits, Answer::forks}) {
    (*words)[fmt::format("on_term {}", word(answer))];
    (*words)[fmt::format("on_int {}", word(answer))];
  }
  for (const char* each : {"own_session", "double_fork", "ends_with_children", "exits_after", "exit_code", "output_bytes",
                           "keeps nothing", "keeps all", "tree of 1", "tree of 2 to 3", "tree of 4 to 6",
                           "tree of 7 and more", "hold", "no server", "schedule random",
                           "schedule pct"}) {
    (*words)[each];
  }
  for (const auto& [flag, name] : kept) (*words)[fmt::format("keeps {}", name)];
}

/// A setup begins where the program does: without an exec there is none.
void expect_sigint(const Space& space, std::map<std::string, std::uint64_t>* words) {
  const bool any = std::any_of(space.backends.begin(), space.backends.end(),
                               [](const std::string& backend) { return spawn::find_backend(backend)->execs; });
  for (const SigintRow& row : sigint_setups()) {
    const bool goes = std::find(space.going.begin(), space.going.end(), row.setup) != space.going.end();
    if (any && (goes || space.hazards)) (*words)[fmt::format("sigint {}", row.word)];
  }
}

}  // namespace

std::set<std::string> words_of(const Case& one) {
  std::set<std::string> words{size_of(one.tree)};
  add_tree(one.tree, true, &words);
  for (const FaultSpec& fault : one.faults) add_fault(fault, &words);
  if (!one.holds.empty()) words.insert("hold");
  if (!one.server) words.insert("no server");
  if (!one.schedule.empty()) words.insert("schedule " + one.schedule.substr(0, one.schedule.find(':')));
  if (const auto* model = std::get_if<ModelSupervisor>(&one.subject)) {
    words.insert("backend " + model->backend);
    for (const Knob& knob : knobs()) {
      if (is_shape(knob)) words.insert(fmt::format("{} {}", knob.key, knob.values[knob.get(model->profile)].word));
    }
  }
  return words;
}

Coverage::Coverage(const Space& space) {
  expect_tree(&words_);
  expect_faults(space, &words_);
  expect_sigint(space, &words_);
  for (const std::string& backend : space.backends) words_["backend " + backend];
  for (const Knob& knob : knobs()) {
    for (const KnobValue& value : knob.values) {
      if (is_shape(knob)) words_[fmt::format("{} {}", knob.key, value.word)];
    }
  }
}

void Coverage::add(const Case& one) {
  for (const std::string& word : words_of(one)) ++words_[word];
}

double Coverage::percent() const {
  const auto used = std::count_if(words_.begin(), words_.end(), [](const auto& entry) { return entry.second > 0; });
  return words_.empty() ? 0.0 : 100.0 * static_cast<double>(used) / static_cast<double>(words_.size());
}

}  // namespace forkproof::fuzz
