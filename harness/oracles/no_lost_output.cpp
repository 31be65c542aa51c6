// Promise `no-lost-output`: what the task wrote to its stdout against what the supervisor has read of it,
// each counted at its own end. A task that is stuck in writing has lost what it could not write.
// A command tells nothing of what it reads: there it is what came out of it, by letters that nobody else writes. Whether it
// passes its task's output on at all is seen: some of it must have come out.
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "harness/core/task_letters.h"
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool captures(const CaptureOpened& opened) {
  return opened.capture != "null" && opened.capture != "inherited";
}

/// The tree's nodes, by their numbers (breadth first), that write to the very channel which the supervisor captures: the
/// root, and who has kept its stdout all the way down.
using Amount = std::uint64_t (*)(const TaskNode&);
std::map<std::int32_t, std::uint64_t> writers_of(const TaskNode& tree, Amount amount) {
  struct Place {
    const TaskNode* node;
    bool shares;
  };
  std::vector<Place> queue{{&tree, true}};
  std::map<std::int32_t, std::uint64_t> writers;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto [node, shares] = queue[i];
    if (shares && node->output_bytes > 0) writers[static_cast<std::int32_t>(i)] = amount(*node);
    for (const TaskNode& child : node->children) queue.push_back({&child, shares && (child.keeps & keeps_stdout) != 0});
  }
  return writers;
}

/// What those of them have written who have written all of theirs.
struct Written {
  std::uint64_t bytes = 0;
  std::vector<std::size_t> shown_by;
};
Written written_by(const std::map<std::int32_t, std::uint64_t>& writers, const History& history) {
  Written written;
  std::map<Pid, std::int32_t> nodes;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (const auto* spawned = history[i].as<Spawned>()) nodes[spawned->pid] = spawned->node;
    const auto* output = history[i].as<OutputCounted>();
    if (output == nullptr || output->end != "written" || !writers.contains(nodes[output->pid])) continue;
    written.bytes += output->bytes;
    written.shown_by.push_back(i);
  }
  return written;
}

/// All that has written all of its output, each process by the letters of its node.
Written letters_written(const std::map<std::int32_t, std::uint64_t>& letters, const History& history) {
  Written written = written_by(letters, history);
  written.bytes = 0;
  std::map<Pid, std::int32_t> nodes;
  for (const Event& event : history.events()) {
    if (const auto* spawned = event.as<Spawned>()) nodes[spawned->pid] = spawned->node;
  }
  for (const std::size_t i : written.shown_by) written.bytes += letters.at(nodes[history[i].as<OutputCounted>()->pid]);
  return written;
}

/// How many processes of the tree had this output to write, the ones that were started again included.
std::size_t count_writers(const std::map<std::int32_t, std::uint64_t>& letters, const History& history) {
  std::set<Pid> pids;
  for (const Event& event : history.events()) {
    const auto* spawned = event.as<Spawned>();
    if (spawned != nullptr && letters.contains(spawned->node)) pids.insert(spawned->pid);
  }
  return pids.size();
}

Verdict output_of_command(const History& history, const Reading& reading) {
  const auto letters = writers_of(case_of(history).tree, letters_of);
  if (letters.empty()) return skipped("the task has nothing to write");
  const auto last = reading.last<OutputCounted>([](const OutputCounted& count) { return count.end == "came out"; });
  if (!last) return skipped("what comes out of the command was not looked at");
  if (reading.killed_from_outside()) return skipped("the command was killed from outside, and could pass nothing on");
  const auto first = reading.first<OutputCounted>([](const OutputCounted& count) { return count.end == "came out" && count.bytes > 0; });
  if (!first) return skipped("none of the task's output came out of the command: it does not pass it on");
  const Written written = letters_written(letters, history);
  if (written.shown_by.empty()) return skipped("the task was ended before it had written all");
  const std::uint64_t got = reading.at<OutputCounted>(*last).bytes;
  const std::string because = std::to_string(written.bytes) + " letters were written by the task, " + std::to_string(got) + " came out of the command";
  std::vector<std::size_t> evidence = written.shown_by;
  evidence.push_back(*last);
  if (got == written.bytes) return held(because, evidence);
  const bool all = written.shown_by.size() == count_writers(letters, history);
  if (got > written.bytes) return skipped(because + (all ? ", so it tells some of it twice" : "; another copy of it was ended before it had written all"));
  if (!reading.supervisor_end()) return skipped(because + "; it had not ended, and may pass on the rest");
  // A part that is told after the end can be meant: the last lines of what has failed.
  const auto end = reading.last_exit_of_task();
  if (end && *end < *first) return unknown(because + ", all of it after the task's end: it may mean to tell a part only", evidence);
  evidence.insert(evidence.begin(), *first);
  return broken(because, evidence);
}

}  // namespace

Verdict no_lost_output(const History& history) {
  const Reading reading(history);
  if (reading.is_command()) return output_of_command(history, reading);
  const auto opened = reading.first<CaptureOpened>();
  if (!opened) return skipped("the subject tells nothing of how it captures");
  if (!captures(reading.at<CaptureOpened>(*opened)))
    return skipped("the supervisor does not capture its task's output");
  const auto writers = writers_of(case_of(history).tree, [](const TaskNode& node) { return node.output_bytes; });
  if (writers.empty()) return skipped("the task has nothing to write");
  if (reading.killed_from_outside())
    return skipped("the rig killed the supervisor (SIGKILL), and could read no more");
  const auto read = reading.first<OutputCounted>([](const OutputCounted& output) { return output.end == "read"; });
  if (!read) return unknown("how much the supervisor has read was not told", {*opened});
  const std::uint64_t got = reading.at<OutputCounted>(*read).bytes;
  const Written written = written_by(writers, history);
  std::vector<std::size_t> evidence = written.shown_by;
  evidence.push_back(*read);
  const std::string because = std::to_string(written.bytes) + " bytes were written, " + std::to_string(got) + " were read";
  const bool all = written.shown_by.size() == writers.size();
  if (all && got == written.bytes) return held(because, evidence);
  // Who was ended in the middle of it has written something too.
  if (all || got < written.bytes) {
    evidence.insert(evidence.begin(), *opened);
    return broken(because, evidence);
  }
  const auto stuck = reading.first<Stuck>([&](const Stuck& event) { return event.pid == reading.task(); });
  if (!stuck) return skipped("the task was ended before it had written all");
  std::uint64_t wanted = 0;
  for (const auto& [node, bytes] : writers) wanted += bytes;
  return broken("of " + std::to_string(wanted) + " bytes " + std::to_string(got) +
                    " were read: the task is stuck in writing",
                {*opened, *stuck, *read});
}

}  // namespace forkproof::oracles
