// Promise `no-lost-output`: what the task wrote to its stdout against what the supervisor has read of it,
// each counted at its own end. A task that is stuck in writing has lost what it could not write.
#include <map>
#include <vector>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool captures(const CaptureOpened& opened) {
  return opened.capture != "null" && opened.capture != "inherited";
}

/// The tree's nodes, by their numbers (breadth first), that write to the very channel which the supervisor captures: the
/// root, and who has kept its stdout all the way down.
std::map<std::int32_t, std::uint64_t> writers_of(const TaskNode& tree) {
  struct Place {
    const TaskNode* node;
    bool shares;
  };
  std::vector<Place> queue{{&tree, true}};
  std::map<std::int32_t, std::uint64_t> writers;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto [node, shares] = queue[i];
    if (shares && node->output_bytes > 0) writers[static_cast<std::int32_t>(i)] = node->output_bytes;
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

}  // namespace

Verdict no_lost_output(const History& history) {
  const Reading reading(history);
  const auto opened = reading.first<CaptureOpened>();
  if (!opened) return skipped("the subject tells nothing of how it captures");
  if (!captures(reading.at<CaptureOpened>(*opened)))
    return skipped("the supervisor does not capture its task's output");
  const auto writers = writers_of(case_of(history).tree);
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
