#include "harness/fuzz/smaller.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "harness/core/schedule.h"
#include "harness/faults/fault.h"
#include "harness/fuzz/invent_tree.h"
#include "harness/run/plan.h"
#include "harness/scenario/scenario_writer.h"

namespace forkproof::fuzz {
namespace {

using scenario::Scenario;

/// Simplest first; a backend is only ever replaced by one before it.
const std::vector<std::string> simple_backends{"fork", "fork-exec", "posix-spawn"};

/// Where a node is: the child's index on each level below the root.
using Path = std::vector<std::size_t>;

TaskNode& at(TaskNode& root, const Path& path) {
  TaskNode* node = &root;
  for (const std::size_t index : path) node = &node->children[index];
  return *node;
}

void add_paths(const TaskNode& node, const Path& here, std::vector<Path>* paths) {
  paths->push_back(here);
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    Path below = here;
    below.push_back(i);
    add_paths(node.children[i], below, paths);
  }
}
std::vector<Path> paths_of(const TaskNode& root) {
  std::vector<Path> paths;
  add_paths(root, {}, &paths);
  return paths;
}
std::string text(const Path& path) { return path.empty() ? "the root" : fmt::format("node {}", fmt::join(path, ".")); }

void add_roles(const TaskNode& node, std::set<std::string>* roles) {
  roles->insert(node.role);
  for (const TaskNode& child : node.children) add_roles(child, roles);
}

/// What a smaller tree leaves without meaning: rules about who is gone, letters of absent nodes in the schedule, a root's way
/// below the root and the reverse.
void tidy(Scenario& question) {
  std::set<std::string> roles{"supervisor", "server"};
  add_roles(question.tree, &roles);
  std::erase_if(question.holds, [&roles](const HoldRule& hold) {
    return !roles.contains(hold.who) || (!hold.until_who.empty() && !roles.contains(hold.until_who));
  });
  question.schedule = schedule_for(question.schedule, count_nodes(question.tree));
  question.tree.double_fork = false;
  for (const Path& path : paths_of(question.tree)) {
    if (!path.empty()) at(question.tree, path).sigint = SigintSetup::none;
  }
}

TaskNode plain(const TaskNode& node) {
  TaskNode made;
  made.role = node.role, made.children = node.children;
  return made;
}

/// One behaviour of a node, and how it is taken back.
struct Behaviour {
  const char* name;
  void (*reset)(TaskNode&);
};
const TaskNode unchanged;
constexpr Behaviour behaviours[] = {
    {"on_term", [](TaskNode& node) { node.on_term = unchanged.on_term; }},
    {"on_int", [](TaskNode& node) { node.on_int = unchanged.on_int; }},
    {"keeps", [](TaskNode& node) { node.keeps = unchanged.keeps; }},
    {"own_session", [](TaskNode& node) { node.own_session = false; }},
    {"double_fork", [](TaskNode& node) { node.double_fork = false; }},
    {"ends_with_children", [](TaskNode& node) { node.ends_with_children = false; }},
    {"output_bytes", [](TaskNode& node) { node.output_bytes = 0; }},
    {"write_size_bytes", [](TaskNode& node) { node.write_size_bytes = unchanged.write_size_bytes; }},
    {"exit_code", [](TaskNode& node) { node.exit_code = 0; }},
    {"exits_after", [](TaskNode& node) { node.exits_after.reset(); }},
    {"sigint", [](TaskNode& node) { node.sigint = SigintSetup::none; }},
};

bool is_wrong(const std::string& key, const std::string& word) {
  for (const Knob& knob : knobs()) {
    if (knob.key != key) continue;
    for (const KnobValue& value : knob.values) {
      if (value.word == word) return value.worth == Worth::wrong;
    }
  }
  return false;
}

/// "heartbeat N" of a reply; -1 where it is anything else.
int heartbeats_before(const FaultSpec& fault) {
  int number = -1;
  if (fault.fault != "heartbeat-reply") return -1;
  return std::sscanf(fault.word("after", "").c_str(), "heartbeat %d", &number) == 1 ? number : -1;
}

/// Gathers the steps from one case.
class Steps {
 public:
  Steps(const Case& one, const Profile& base)
      : one_(one), base_(base), question_(scenario::scenario_of(one, base)), must_end_(asks_for_teardown(one)) {}

  std::vector<Smaller> all() {
    next_to_nothing();
    whole_branches();
    single_branches();
    faults_and_holds();
    behaviours_of_nodes();
    knobs_set_back();
    shorter_schedule();
    smaller_numbers();
    simpler_surroundings();
    return std::move(steps_);
  }

 private:
  void add(const std::string& step, const std::function<void(Scenario&)>& change) {
    Scenario question = question_;
    change(question);
    tidy(question);
    Case made = run::make_case(question, base_, question.backends.front(), question.seed.value_or(1));
    if (made == one_ || (must_end_ && !asks_for_teardown(made))) return;
    const auto same = [&made](const Smaller& each) { return each.one == made; };
    if (std::none_of(steps_.begin(), steps_.end(), same)) steps_.push_back({step, std::move(made)});
  }

  void next_to_nothing();
  void bare(std::size_t children, bool ends, std::size_t fault);
  void whole_branches();
  void single_branches();
  void faults_and_holds();
  void behaviours_of_nodes();
  void knobs_set_back();
  void shorter_schedule();
  void smaller_numbers();
  void simpler_surroundings();

  const Case& one_;
  const Profile& base_;
  Scenario question_;
  bool must_end_;
  std::vector<Smaller> steps_;
};

/// All at once: mostly one process or two and a single fault are what matters, and then this is found in three runs.
void Steps::next_to_nothing() {
  for (const bool ends : {false, true}) {
    for (const std::size_t children : {0, 1}) {
      for (std::size_t fault = 0; fault < question_.faults.size() + (ends ? 1 : 0); ++fault) bare(children, ends, fault);
    }
  }
}

/// `ends`: the task ends by itself, which asks for a teardown in the place of a fault. Past the last fault: none.
void Steps::bare(std::size_t children, bool ends, std::size_t fault) {
  const bool none = fault == question_.faults.size();
  const std::size_t left = none ? 0 : 1;
  if (ends && left > 0 && question_.faults.size() <= left) return;  // an end for nothing is not less
  const std::string step = fmt::format("nothing but the task{}{} and {}", children == 0 ? "" : " with a child", ends ? ", ending," : "",
                                       none ? "no fault" : fmt::format("[[fault]] {}", fault + 1));
  add(step, [&](Scenario& question) {
    const SigintSetup sigint = question.tree.sigint;
    question.tree = plain(question.tree);
    question.tree.children.resize(std::min(children, question.tree.children.size()));
    for (TaskNode& child : question.tree.children) child = {.role = child.role};
    if (ends) question.tree.exits_after = Nanos{};
    else question.tree.sigint = sigint;
    question.faults = none ? std::vector<FaultSpec>{} : std::vector{question.faults[fault]};
    std::erase_if(question.knobs, [](const auto& entry) { return !is_wrong(entry.first, entry.second); });
    question.holds.clear(), question.schedule.clear();
  });
}

/// Much at once: what matters is mostly little.
void Steps::whole_branches() {
  add("no children", [](Scenario& question) { question.tree.children.clear(); });
  add("plain nodes", [](Scenario& question) {
    for (const Path& path : paths_of(question.tree)) {
      TaskNode& node = at(question.tree, path);
      node = plain(node);
    }
  });
  add("one plain child", [](Scenario& question) {
    if (question.tree.children.empty()) return;
    question.tree.children.resize(1);
    question.tree.children.front().children.clear();
  });
  add("no shape", [](Scenario& question) {
    std::erase_if(question.knobs, [](const auto& entry) { return !is_wrong(entry.first, entry.second); });
  });
  add("no [[hold]]", [](Scenario& question) { question.holds.clear(); });
}

void Steps::single_branches() {
  std::vector<Path> paths = paths_of(question_.tree);
  paths.erase(paths.begin());  // the root
  std::stable_sort(paths.begin(), paths.end(), [this](const Path& left, const Path& right) {
    return count_nodes(at(question_.tree, left)) > count_nodes(at(question_.tree, right));
  });
  const auto siblings = [](Scenario& question, Path path) -> std::vector<TaskNode>& {
    path.pop_back();
    return at(question.tree, path).children;
  };
  for (const Path& path : paths) {
    const auto index = static_cast<std::ptrdiff_t>(path.back());
    add("drop " + text(path), [&](Scenario& question) {
      auto& list = siblings(question, path);
      list.erase(list.begin() + index);
    });
  }
  for (const Path& path : paths) {
    const auto index = static_cast<std::ptrdiff_t>(path.back());
    add("hoist the children of " + text(path), [&](Scenario& question) {
      auto& list = siblings(question, path);
      const std::vector<TaskNode> below = list[path.back()].children;
      list.erase(list.begin() + index);
      list.insert(list.begin() + index, below.begin(), below.end());
    });
  }
}

void Steps::faults_and_holds() {
  for (std::size_t i = 0; i < question_.faults.size(); ++i) {
    add(fmt::format("drop [[fault]] {}", i + 1), [i](Scenario& question) {
      question.faults.erase(question.faults.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
  for (std::size_t i = 0; i < question_.holds.size(); ++i) {
    add(fmt::format("drop [[hold]] {}", i + 1), [i](Scenario& question) {
      question.holds.erase(question.holds.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
}

void Steps::behaviours_of_nodes() {
  const std::vector<Path> paths = paths_of(question_.tree);
  for (const Path& path : paths) {
    add("nothing special about " + text(path), [&path](Scenario& question) {
      TaskNode& node = at(question.tree, path);
      node = plain(node);
    });
  }
  for (const Path& path : paths) {
    for (const Behaviour& behaviour : behaviours) {
      add(fmt::format("no {} of {}", behaviour.name, text(path)),
          [&](Scenario& question) { behaviour.reset(at(question.tree, path)); });
    }
  }
}

void Steps::knobs_set_back() {
  for (const auto& [key, word] : question_.knobs) {
    add("set back " + key, [&key = key](Scenario& question) { question.knobs.erase(key); });
  }
}

void Steps::shorter_schedule() {
  if (question_.schedule.empty()) return;
  add("no schedule", [](Scenario& question) { question.schedule.clear(); });
  const Schedule schedule = schedule_from(question_.schedule);
  if (const auto* pct = std::get_if<PctOrder>(&schedule)) {
    for (const std::uint64_t fewer : {std::uint64_t{0}, pct->changes / 2}) {
      if (fewer < pct->changes) {
        add(fmt::format("{} changes in the schedule", fewer),
            [&](Scenario& question) { question.schedule = forkproof::text(PctOrder{pct->seed, fewer}); });
      }
    }
  }
  if (const auto* order = std::get_if<ExplicitOrder>(&schedule)) {
    const std::size_t size = order->letters.size();
    for (const std::size_t shorter : {size / 2, size - 1}) {
      if (shorter > 0 && shorter < size) {
        add(fmt::format("{} letters of the schedule", shorter),
            [&](Scenario& question) { question.schedule = order->letters.substr(0, shorter); });
      }
    }
  }
}

void Steps::smaller_numbers() {
  for (const Path& path : paths_of(question_.tree)) {
    add("half the output of " + text(path), [&path](Scenario& question) { at(question.tree, path).output_bytes /= 2; });
    add(text(path) + " exits at once", [&path](Scenario& question) {
      auto& after = at(question.tree, path).exits_after;
      if (after) after = Nanos{};
    });
  }
  for (std::size_t i = 0; i < question_.faults.size(); ++i) {
    const int number = heartbeats_before(question_.faults[i]);
    for (const int fewer : {0, number / 2, number - 1}) {
      if (fewer < 0 || fewer >= number) continue;
      add(fmt::format("[[fault]] {} after heartbeat {}", i + 1, fewer), [i, fewer](Scenario& question) {
        question.faults[i].settings["after"] = fmt::format("heartbeat {}", fewer);
      });
    }
  }
  for (std::size_t i = 0; i < question_.faults.size(); ++i) {
    const faults::FaultRow& row = *faults::find_fault(question_.faults[i].fault);
    for (const Setting& setting : row.settings) {
      const std::string key(setting.key);
      FaultSpec without = question_.faults[i];
      if (setting.required || without.settings.erase(key) == 0 || !row.check(without).empty()) continue;
      add(fmt::format("no {} of [[fault]] {}", key, i + 1), [&, i](Scenario& question) { question.faults[i].settings.erase(key); });
    }
  }
  for (std::size_t i = 0; i < question_.holds.size(); ++i) {
    add(fmt::format("[[hold]] {} at the first time", i + 1), [i](Scenario& question) { question.holds[i].number = 1; });
  }
}

void Steps::simpler_surroundings() {
  for (const std::string& backend : simple_backends) {
    if (backend == question_.backends.front()) break;
    add("backend " + backend, [&backend](Scenario& question) { question.backends = {backend}; });
  }
  const bool replies = std::any_of(question_.faults.begin(), question_.faults.end(),
                                   [](const FaultSpec& fault) { return fault.fault == "heartbeat-reply"; });
  if (!replies) add("no server", [](Scenario& question) { question.server = false; });
  add("seed 1", [](Scenario& question) { question.seed.reset(); });
  add("no patience", [](Scenario& question) { question.patience = Nanos{}; });
}

/// Which fault brings a teardown about, or takes the supervisor away.
bool asks_for_teardown(const FaultSpec& fault, const TaskNode& root) {
  if (fault.fault == "heartbeat-reply") return fault.word("after", "") != "output" || root.output_bytes > 0;
  if (fault.fault == "signal-node") return fault.word("signal", "") == "SIGKILL" && fault.word("node", root.role) == root.role;
  static const std::set<std::string> asking{"orphan-sigint", "supervisor-killed", "signal-supervisor",
                                            "group-signalled", "bad-request", "killed-at-start", "supervisor-stopped"};
  return asking.contains(fault.fault);
}

}  // namespace

std::vector<Smaller> smaller(const Case& one, const Profile& base) { return Steps(one, base).all(); }

bool asks_for_teardown(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model != nullptr && model->profile.model == Model::prefork_master) return true;
  return ends_by_itself(one.tree) || std::any_of(one.faults.begin(), one.faults.end(), [&one](const FaultSpec& fault) {
           return asks_for_teardown(fault, one.tree);
         });
}

}  // namespace forkproof::fuzz
