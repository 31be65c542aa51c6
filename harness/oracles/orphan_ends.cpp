// Promise `orphan-ends`. The orphan is gone, or the kernel shows why it is not going to: the signal is
// ignored, blocked and pending, pending in a stopped process, or was handled by a handler that changed
// nothing.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

Verdict orphan_ends(const History& history) {
  constexpr std::int32_t interrupt = 2;
  const Reading reading(history);
  const auto sent = reading.first<Signalled>([&](const Signalled& event) {
    return event.by == reading.warden() && event.target == reading.task() && event.signal == interrupt &&
           event.error == 0;
  });
  if (!sent) return skipped("no orphan was sent SIGINT");
  const auto supervisor_end = reading.supervisor_end();
  if (reading.is_command() && (!supervisor_end || *supervisor_end > *sent)) return skipped("no orphan was sent SIGINT");
  if (const auto end = reading.exit_of(reading.task()); end && *end > *sent) {
    return held("it ended " + text(reading.between(*sent, *end)) + " after SIGINT",
                {*sent, *end});
  }
  const auto stays = reading.first<SignalWithoutEffect>([&](const SignalWithoutEffect& event) {
    return event.pid == reading.task() && event.signal == interrupt;
  });
  if (!stays) return unknown("neither the orphan's end nor a reason for its staying was seen", {*sent});
  const auto& event = reading.at<SignalWithoutEffect>(*stays);
  const std::string sure =
      event.proved ? "provably does not end by SIGINT" : "has not ended by SIGINT (not proved: waited for)";
  return broken(reading.who(event.pid) + " " + sure + " (" + event.how + "): " + event.because,
                {*sent, *stays});
}

}  // namespace forkproof::oracles
