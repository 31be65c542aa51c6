#include "harness/oracles/reading.h"

#include <map>
#include <vector>

namespace forkproof::oracles {

Reading::Reading(const History& history) : history_(history) {
  for (const Event& event : history.events()) {
    if (const auto* arena = event.as<ArenaOpened>()) warden_ = arena->warden;
    const auto* spawned = event.as<Spawned>();
    if (spawned == nullptr) continue;
    if (spawned->node == supervisor_node && supervisor_ == 0) supervisor_ = spawned->pid;
    if (spawned->node == 0 && task_ == 0) task_ = spawned->pid;
  }
}

std::optional<std::size_t> Reading::exit_of(Pid pid) const {
  if (pid == 0) return std::nullopt;
  return first<Exited>([pid](const Exited& exited) { return exited.pid == pid; });
}

std::optional<std::size_t> Reading::last_exit_of_task() const {
  Pid last = 0;
  for (const Event& event : history_.events()) {
    const auto* spawned = event.as<Spawned>();
    if (spawned != nullptr && spawned->node == 0) last = spawned->pid;
  }
  return exit_of(last);
}

std::optional<std::size_t> Reading::killed_from_outside() const {
  constexpr std::int32_t kill_signal = 9;
  return first<Signalled>([this](const Signalled& sent) {
    return sent.by == warden_ && (sent.target == supervisor_ || sent.target == -supervisor_) && sent.signal == kill_signal && sent.error == 0;
  });
}

bool Reading::is_command() const { return std::holds_alternative<Command>(case_of(history_).subject); }

std::optional<std::size_t> Reading::asked() const {
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    if (history_[i].as<TeardownAsked>() != nullptr) last = i;
  }
  return last;
}

std::optional<std::size_t> Reading::owed() const {
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    const auto* asked = history_[i].as<TeardownAsked>();
    if (asked == nullptr) continue;
    if (!is_command() || asked->cause == cause::asked || asked->cause == cause::rig) last = i;
  }
  return last;
}

std::optional<std::size_t> Reading::refused_start() const {
  return first<Reply>([](const Reply& reply) { return reply.what == "run" && reply.status >= 300; });
}

std::set<Pid> Reading::supervising() const {
  std::map<Pid, Pid> parents;
  std::vector<Pid> roots;
  for (const Event& event : history_.events()) {
    const auto* spawned = event.as<Spawned>();
    if (spawned == nullptr) continue;
    parents.emplace(spawned->pid, spawned->parent);
    if (spawned->node == 0) roots.push_back(spawned->pid);
  }
  std::set<Pid> found{supervisor_};
  for (const Pid root : roots) {
    std::set<Pid> path;
    Pid pid = parents[root];
    while (pid > 0 && pid != warden_ && pid != supervisor_ && path.insert(pid).second) {
      const auto next = parents.find(pid);
      pid = next == parents.end() ? 0 : next->second;
    }
    if (pid == supervisor_) found.insert(path.begin(), path.end());
  }
  return found;
}

std::string Reading::program_of(Pid pid) const {
  std::string program;
  for (const Event& event : history_.events()) {
    const auto* execed = event.as<Execed>();
    if (execed != nullptr && execed->pid == pid) program = execed->program;
  }
  return program;
}

Pid Reading::parent_at(Pid pid, std::size_t index) const {
  Pid parent = 0;
  for (std::size_t i = 0; i <= index && i < history_.size(); ++i) {
    if (const auto* spawned = history_[i].as<Spawned>(); spawned && spawned->pid == pid) parent = spawned->parent;
    if (const auto* moved = history_[i].as<Reparented>(); moved && moved->pid == pid) parent = moved->to;
  }
  return parent;
}

std::string Reading::who(Pid pid) const {
  if (pid == warden_) return "PID 1";
  std::string name;
  for (const Event& event : history_.events()) {
    const auto* spawned = event.as<Spawned>();
    const auto* execed = event.as<Execed>();  // what a stranger is called is its program's name
    if (execed != nullptr && execed->pid == pid) name = execed->program.substr(execed->program.rfind('/') + 1);
    if (spawned == nullptr || spawned->pid != pid) continue;
    name = spawned->role;
    if (spawned->node != stranger_node) break;
  }
  for (const Event& event : history_.events()) {
    const auto* census = name.empty() ? event.as<CensusTaken>() : nullptr;
    if (census == nullptr) continue;
    for (const CensusEntry& entry : census->processes) {
      if (entry.pid == pid) name = entry.name;
    }
  }
  return name.empty() ? "pid " + std::to_string(pid) : name + " (pid " + std::to_string(pid) + ")";
}

Nanos Reading::machine_late(std::size_t from, std::size_t to) const {
  Nanos late{};
  for (std::size_t i = from; i <= to && i < history_.size(); ++i) {
    if (const auto* machine = history_[i].as<MachineLate>()) late += machine->by;
  }
  return late;
}

}  // namespace forkproof::oracles
