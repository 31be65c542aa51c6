// Promise `channels-closed`. A supervisor that drops a channel from its books and not from its descriptors leaks it, for as
// long as its process lives. Judged is the captured stdout, where it is read while the task runs: the supervisor says of
// each of its channels that it has closed it, and must have said so by its conclusion.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

/// Where there is an end to close: a channel that the supervisor reads while it waits.
bool is_read_meanwhile(const CaptureOpened& opened) {
  return opened.drain == word(Drain::while_waiting) && !opened.read_as.empty() && opened.capture != word(Capture::file);
}

}  // namespace

Verdict channels_closed(const History& history) {
  const Reading reading(history);
  const auto opened = reading.first<CaptureOpened>();
  if (!opened) return skipped("the supervisor captures nothing");
  const CaptureOpened& capture = reading.at<CaptureOpened>(*opened);
  if (!is_read_meanwhile(capture)) return skipped("its captured " + capture.channel + " is not read while it waits");
  const auto concluded = reading.first<StateConcluded>();
  if (!concluded) return skipped("it came to no conclusion, which is state-reported's matter");
  if (reading.at<StateConcluded>(*concluded).state == "not-started") return skipped("the task was refused before anything was read of it");
  const auto closed = reading.first<ChannelClosed>([&capture](const ChannelClosed& event) { return event.channel == capture.channel; });
  if (closed && *closed < *concluded) return held(capture.channel + " was closed (" + reading.at<ChannelClosed>(*closed).how + ")", {*closed});
  return broken("it came to a conclusion with its end of the task's " + capture.channel + " (" + capture.read_as + ") still open", {*opened, *concluded});
}

}  // namespace forkproof::oracles
