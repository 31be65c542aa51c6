// Promise `no-inherited-descriptors`, in two places:
//  - the supervisor's listener, looked for when the supervisor is gone. A descendant that has inherited it keeps the port
//    taken, and the kernel accepts connections that nobody will ever answer;
//    Of a command the kernel's own tables are looked at: what it, or a process between it and its task, was seen to have open
//    while it lived, and who has the same socket open when it is gone. A socket that a child has opened for itself, or that
//    was handed over and closed, was its alone;
//  - the write end of a task's captured stdout, looked for in the supervisor's second task. While that one lives, the
//    output of the first has no end.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool about_listener(const DescriptorHeld& held) { return held.what.starts_with("listener"); }
bool about_listener(const ProbeMade& probe) { return probe.what.starts_with("bind") || probe.what.starts_with("connect"); }

Verdict judge_listener(const History& history, const Reading& reading, std::size_t opened) {
  std::vector<std::size_t> evidence{opened};
  std::string holders, probes;
  std::size_t probed = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* held = history[i].as<DescriptorHeld>();
    if (held != nullptr && about_listener(*held)) {
      holders += (holders.empty() ? "" : ", ") + reading.who(held->pid) + " as descriptor " + std::to_string(held->fd);
      evidence.push_back(i);
    }
    const auto* probe = history[i].as<ProbeMade>();
    if (probe == nullptr || !about_listener(*probe)) continue;
    ++probed;
    if (probe->ok) continue;
    probes += "; " + probe->what + ": " + probe->result;
    evidence.push_back(i);
  }
  const std::string port = "the supervisor's listener on port " + std::to_string(reading.at<ListenerOpened>(opened).port);
  if (!holders.empty()) return broken(port + " is still held by " + holders + probes, evidence);
  if (!probes.empty()) return broken(port + " is not gone, though nobody was seen to hold it" + probes, evidence);
  if (probed == 0) return unknown("nobody looked who holds " + port + " when the supervisor was gone", evidence);
  return held("nobody held " + port + " when the supervisor was gone", evidence);
}

/// Nothing where there is no second task, or nothing that it could hold.
std::optional<Verdict> judge_second_task(const History& history, const Reading& reading) {
  const auto* model = std::get_if<ModelSupervisor>(&case_of(history).subject);
  const auto captured = reading.first<CaptureOpened>([](const CaptureOpened& opened) { return !opened.written_as.empty(); });
  if (model == nullptr || model->profile.sibling == Sibling::none || !captured) return std::nullopt;
  const auto kept = reading.first<DescriptorHeld>([](const DescriptorHeld& each) { return !about_listener(each); });
  if (kept) {
    const auto& descriptor = reading.at<DescriptorHeld>(*kept);
    return broken(reading.who(descriptor.pid) + " has inherited " + descriptor.what + " of another task, as descriptor " +
                      std::to_string(descriptor.fd) + ": there is no end of output while it lives",
                  {*captured, *kept});
  }
  const auto looked = reading.first<ProbeMade>([](const ProbeMade& probe) { return probe.what.starts_with("descriptors"); });
  const auto too_late = reading.first<ProbeMade>([](const ProbeMade& probe) { return probe.what == "second task"; });
  const auto node = static_cast<std::int32_t>(count_nodes(case_of(history).tree));  // its number follows the tree's
  const bool was_up = reading.first<Ready>([node](const Ready& ready) { return ready.node == node; }).has_value();
  if (too_late) return skipped("the second task was ended as it came up, before anybody could look");
  if (!looked && !was_up) return skipped("the second task was ended before it was up");
  if (!looked) return unknown("nobody looked what the second task has open", {*captured});
  return held("the second task has nothing of the first's", {*captured, *looked});
}

/// The tier without a network namespace: the listeners there are the machine's.
bool is_subreaper(const History& history) {
  for (const Event& event : history.events()) {
    if (const auto* arena = event.as<ArenaOpened>()) return arena->tier == "subreaper";
  }
  return false;
}

/// The sockets that the command was seen to have open, by name: where, and the event that shows it.
std::map<std::string, std::size_t> listeners_of_the_command(const History& history, const Reading& reading) {
  const std::set<Pid> own = reading.supervising();
  const auto end = reading.supervisor_end();
  std::map<std::string, std::size_t> found;
  for (std::size_t i = 0; i < history.size() && (!end || i < *end); ++i) {
    const auto* seen = history[i].as<ListenersSeen>();
    if (seen == nullptr) continue;
    for (const ListenerEntry& each : seen->listeners) {
      const bool its = std::any_of(each.holders.begin(), each.holders.end(), [&own](Pid pid) { return own.contains(pid); });
      if (its) found.emplace(each.name, i);
    }
  }
  return found;
}

Verdict listener_of_command(const History& history, const Reading& reading) {
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* seen = history[i].as<ListenersSeen>();
    if (seen == nullptr) continue;
    if (!seen->trouble.empty()) {
      const std::string because = "who listens could not be looked at: " + seen->trouble;
      return is_subreaper(history) ? skipped(because) : unknown(because, {i});
    }
    if (seen->when == "conclusion" || seen->when == "deadline") last = i;
  }
  if (!last) return skipped("nobody looked who listens");
  const auto own = listeners_of_the_command(history, reading);
  if (own.empty()) return skipped("the command was never seen to listen");
  if (!reading.supervisor_end()) return skipped("the command had not ended: its listener is its own");
  std::vector<std::size_t> evidence;
  std::string holders;
  for (const ListenerEntry& each : reading.at<ListenersSeen>(*last).listeners) {
    const auto opened = own.find(each.name);
    if (opened == own.end()) continue;
    for (const Pid pid : each.holders) holders += (holders.empty() ? "" : ", ") + reading.who(pid) + " has " + each.address + " open";
    evidence.push_back(opened->second);
  }
  if (evidence.empty()) return held("nobody had the command's listener when it was gone", {own.begin()->second, *last});
  evidence.push_back(*last);
  return broken("the command is gone, and its listener is not: " + holders, evidence);
}

}  // namespace

Verdict no_inherited_descriptors(const History& history) {
  const Reading reading(history);
  if (reading.is_command()) return listener_of_command(history, reading);
  const auto second_task = judge_second_task(history, reading);
  const auto opened = reading.first<ListenerOpened>();
  if (!opened) return second_task.value_or(skipped("the supervisor does not listen, and has no second task"));
  const Verdict listener = judge_listener(history, reading, *opened);
  return second_task && second_task->outcome > listener.outcome ? *second_task : listener;
}

}  // namespace forkproof::oracles
