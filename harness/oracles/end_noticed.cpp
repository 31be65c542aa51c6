// Promise `end-noticed`. A supervisor that only asks now and then whether its task still lives (waitpid after each select)
// learns of an end a whole wait later, unless a channel of the task's happens to wake it. Looked at where none can
// (fault channel-held), from outside: was the supervisor woken by the end, or did it sleep on?
#include "harness/core/probe.h"
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

Verdict end_noticed(const History& history) {
  const Reading reading(history);
  const auto probe = reading.first<ProbeMade>([](const ProbeMade& made) { return made.what == end_probe; });
  const auto end = reading.exit_of(reading.task());
  if (!probe) return skipped("nobody watched whether the supervisor is woken by its task's end");
  const ProbeMade& made = reading.at<ProbeMade>(*probe);
  if (!end) return unknown("the task's end was not seen", {*probe});
  if (made.ok) return held(made.result, {*end, *probe});
  return broken("the task had ended: " + made.result + "; nothing tells it but its own next look", {*end, *probe});
}

}  // namespace forkproof::oracles
