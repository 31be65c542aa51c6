// Promise `no-inherited-descriptors`: looked at when the supervisor is gone. A listener that a descendant has
// inherited keeps the port taken, and the kernel accepts connections that nobody will ever answer.
#include "harness/oracles/oracle.h"
#include "harness/oracles/reading.h"

namespace forkproof::oracles {

Verdict no_inherited_descriptors(const History& history) {
  const Reading reading(history);
  const auto opened = reading.first<ListenerOpened>();
  if (!opened) return skipped("the supervisor does not listen");
  std::vector<std::size_t> evidence{*opened};
  std::string holders, probes;
  std::size_t probed = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (const auto* held = history[i].as<DescriptorHeld>()) {
      holders += (holders.empty() ? "" : ", ") + reading.who(held->pid) + " as descriptor " +
                 std::to_string(held->fd);
      evidence.push_back(i);
    }
    const auto* probe = history[i].as<ProbeMade>();
    if (probe == nullptr) continue;
    ++probed;
    if (probe->ok) continue;
    probes += "; " + probe->what + ": " + probe->result;
    evidence.push_back(i);
  }
  const std::string port =
      "the supervisor's listener on port " + std::to_string(reading.at<ListenerOpened>(*opened).port);
  if (!holders.empty()) return broken(port + " is still held by " + holders + probes, evidence);
  if (!probes.empty())
    return broken(port + " is not gone, though nobody was seen to hold it" + probes, evidence);
  if (probed == 0)
    return unknown("nobody looked who holds " + port + " when the supervisor was gone", evidence);
  return held("nobody held " + port + " when the supervisor was gone", evidence);
}

}  // namespace forkproof::oracles
