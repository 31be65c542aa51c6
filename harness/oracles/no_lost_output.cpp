// Promise `no-lost-output`: what the task wrote to its stdout against what the supervisor has read of it,
// each counted at its own end. A task that is stuck in writing has lost what it could not write.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool captures(const CaptureOpened& opened) {
  return opened.capture != "null" && opened.capture != "inherited";
}

std::optional<std::size_t> counted(const Reading& reading, const std::string& end) {
  return reading.first<OutputCounted>([&end](const OutputCounted& output) { return output.end == end; });
}

}  // namespace

Verdict no_lost_output(const History& history) {
  const Reading reading(history);
  const auto opened = reading.first<CaptureOpened>();
  if (!opened) return skipped("the subject tells nothing of how it captures");
  if (!captures(reading.at<CaptureOpened>(*opened)))
    return skipped("the supervisor does not capture its task's output");
  const std::uint64_t wanted = case_of(history).tree.output_bytes;
  if (wanted == 0) return skipped("the task has nothing to write");
  if (reading.killed_from_outside())
    return skipped("the supervisor was killed from outside, and could read no more");
  const auto read = counted(reading, "read");
  if (!read) return unknown("how much the supervisor has read was not told", {*opened});
  const std::uint64_t got = reading.at<OutputCounted>(*read).bytes;
  const auto written = counted(reading, "written");
  if (written) {
    const std::uint64_t wrote = reading.at<OutputCounted>(*written).bytes;
    const std::string because =
        std::to_string(wrote) + " bytes were written, " + std::to_string(got) + " were read";
    return got == wrote ? held(because, {*written, *read}) : broken(because, {*opened, *written, *read});
  }
  const auto stuck = reading.first<Stuck>([&](const Stuck& event) { return event.pid == reading.task(); });
  if (!stuck) return skipped("the task was ended before it had written all");
  return broken("of " + std::to_string(wanted) + " bytes " + std::to_string(got) +
                    " were read: the task is stuck in writing",
                {*opened, *stuck, *read});
}

}  // namespace forkproof::oracles
