// Promise `selector-intact`: airflow#65505's "I/O operation on closed epoll object". The three shapes of the
// mistake (harness/faults/README.md, Closed selector) differ in what the kernel answers, not in what is
// wrong.
#include <cerrno>

#include "harness/core/error.h"
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

Verdict selector_intact(const History& history) {
  const Reading reading(history);
  const auto opened = reading.first<SelectorOpened>();
  if (!opened) return skipped("the subject tells nothing of its selector");
  const auto used = reading.first<ClosedSelectorWait>();
  if (!used) return held("every wait was on an open selector", {*opened});
  const auto& wait = reading.at<ClosedSelectorWait>(*used);
  const auto closed = reading.first<SelectorClosed>([&](const SelectorClosed& event) { return event.by == wait.by; });
  std::vector<std::size_t> evidence;
  if (closed) evidence.push_back(*closed);
  evidence.push_back(*used);
  const auto result = reading.first<ClosedSelectorResult>();
  std::string because = "the loop waited on selector " + std::to_string(wait.fd) + " after it was closed, when the number was " +
                        (wait.taken_by == "nobody" ? "nobody's" : wait.taken_by + "'s") + ": ";
  if (result) {
    evidence.push_back(*result);
    because += error_text("epoll_wait", reading.at<ClosedSelectorResult>(*result).error);
  } else {
    because += "no error, and none of its events, ever";
  }
  return broken(because, evidence);
}

}  // namespace forkproof::oracles
