// Promise `no-crash-loop`. A master that replaces each worker at once, also one that died before it was up, does nothing
// else any more (gunicorn#3021: "hundreds of worker processes"). Two things are asked of it: that the crashes at start are
// few, and that it waits longer and longer between them.
#include <algorithm>

#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {
namespace {

constexpr std::size_t most_crashes = 10;
constexpr std::size_t enough_to_see_waits = 4;

struct Crashes {
  std::vector<std::size_t> ends;  ///< of workers that ended before they were up and before anybody asked for a teardown
  std::size_t started = 0;
  std::vector<Nanos> waits;       ///< before each replacement
};

struct Started {
  Pid pid;
  Nanos after;  ///< the one before it had died
};

/// By a master's own word; or, of a command, by the root of the tree that was started again.
std::optional<Started> started_by(const Event& event) {
  if (const auto* worker = event.as<WorkerStarted>()) return Started{worker->pid, worker->after};
  const auto* again = event.as<Restarted>();
  if (again == nullptr || again->node != 0) return std::nullopt;
  return Started{again->pid, again->after};
}

Crashes crashes_in(const History& history, const Reading& reading) {
  Crashes crashes;
  const std::size_t asked = reading.asked().value_or(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto worker = started_by(history[i]);
    if (!worker) continue;
    ++crashes.started;
    if (worker->after > Nanos{}) crashes.waits.push_back(worker->after);
    const Pid pid = worker->pid;
    const bool up = reading.first<Ready>([pid](const Ready& ready) { return ready.pid == pid; }).has_value();
    const auto end = reading.exit_of(pid);
    if (end && *end < asked && !up) crashes.ends.push_back(*end);
  }
  std::sort(crashes.ends.begin(), crashes.ends.end());
  return crashes;
}

/// A busy machine makes single waits longer, never shorter: so the longest of the later half against the shortest of the
/// earlier one.
bool waits_grow(const std::vector<Nanos>& waits) {
  const auto middle = waits.begin() + static_cast<std::ptrdiff_t>(waits.size() / 2);
  return *std::max_element(middle, waits.end()) >= 2 * *std::min_element(waits.begin(), middle);
}

}  // namespace

Verdict no_crash_loop(const History& history) {
  const Reading reading(history);
  const Crashes crashes = crashes_in(history, reading);
  if (crashes.started == 0) return skipped("the subject replaced nobody");
  if (crashes.ends.empty()) return held("no worker died before it was up");
  const std::vector<std::size_t> evidence{crashes.ends.front(), crashes.ends.back()};
  const std::string count = std::to_string(crashes.ends.size()) + " of " + std::to_string(crashes.started) +
                            " workers died before they were up (" + reading.at<Exited>(crashes.ends.front()).status.text() + ")";
  if (crashes.ends.size() > most_crashes) {
    return broken(count + " within " + text(reading.time(crashes.ends.back()) - reading.time(crashes.ends.front())) +
                      ", each replaced again; the bound is " + std::to_string(most_crashes),
                  evidence);
  }
  if (crashes.waits.size() >= enough_to_see_waits && !waits_grow(crashes.waits)) {
    return broken(count + ", and the waits between them do not grow", evidence);
  }
  if (reading.first<DeadlinePassed>()) return unknown(count + " when the time to watch was over", evidence);
  return held(count + ", with longer and longer waits, and then no more were started", evidence);
}

}  // namespace forkproof::oracles
