// Promise `no-crash-at-start`. A supervisor that reaps a crashed child and tells `failed` keeps all its other promises;
// this one asks whether what it starts can start at all. Judged are the roots of its trees: the processes that it spawned
// itself. Not meant are: who was signalled (somebody wanted its end), who outlived the supervisor, and who is stuck, which
// is no-stuck-process' matter.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

bool was_up(const Reading& reading, Pid pid) {
  return reading.first<Ready>([pid](const Ready& ready) { return ready.pid == pid; }).has_value();
}

/// A signal that somebody in the run sent to it, or to a group, before its end.
bool was_signalled(const Reading& reading, Pid pid, std::size_t end) {
  const auto sent = reading.first<Signalled>(
      [pid](const Signalled& signalled) { return signalled.target == pid || signalled.target < 0; });
  return sent && *sent < end;
}

}  // namespace

Verdict no_crash_at_start(const History& history) {
  const Reading reading(history);
  const auto supervisor_end = reading.supervisor_end();
  // Whom a command signals, it does not tell.
  const auto asked = reading.is_command() ? reading.first<TeardownAsked>() : std::nullopt;
  std::size_t started = 0;
  bool all_known = true;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto* spawned = history[i].as<Spawned>();
    if (spawned == nullptr || spawned->node != 0) continue;
    ++started;
    const auto end = reading.exit_of(spawned->pid);
    if (!end || was_up(reading, spawned->pid) || was_signalled(reading, spawned->pid, *end)) continue;
    if (supervisor_end && *supervisor_end < *end) continue;
    if (asked && *asked < *end) continue;
    const Exited& exited = reading.at<Exited>(*end);
    all_known &= exited.known;
    if (!exited.known || exited.status.success()) continue;
    return broken(reading.who(spawned->pid) + " ended (" + exited.status.text() + ") " +
                      text(reading.time(*end) - reading.time(i)) + " after it was started and before it was up; nobody had signalled it",
                  {i, *end});
  }
  if (started == 0) return skipped("the supervisor started nobody");
  if (!all_known) return unknown("how a child ended before it was up could not be seen");
  return held("nobody ended by itself before it was up");
}

}  // namespace forkproof::oracles
