#include "reports/why.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/explanation.h"
#include "reports/cast.h"
#include "reports/layout.h"
#include "reports/names.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t most_explained = 4;  // of one look: the rest is counted

std::string title_of(const Explained& why) {
  if (why.when == "bound") return "when the bound was over";
  return why.when == "conclusion" ? "when the supervisor had ended" : "at the deadline";
}

}  // namespace

std::string why_still_there(const History& history) {
  const Cast cast(history);
  std::string all;
  for (const Event& event : history.events()) {
    const auto* why = event.as<Explained>();
    if (why == nullptr || why->processes.empty()) continue;
    all += fmt::format("\n  Why it was still there {}:\n", title_of(*why));
    const std::size_t told = std::min(why->processes.size(), most_explained);
    for (std::size_t i = 0; i < told; ++i) {
      all += fmt::format("    {}\n", cast.name(why->processes[i].pid));
      for (const std::string& sentence : sentences_of(why->processes[i])) all += wrapped("      ", sentence, 8);
    }
    const std::uint64_t more = why->more + why->processes.size() - told;
    if (more > 0) all += fmt::format("    ... and {} more; a kept history has them all\n", grouped(more));
  }
  return all;
}

}  // namespace forkproof::reports
