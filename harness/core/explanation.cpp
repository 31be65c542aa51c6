#include "harness/core/explanation.h"

#include <fmt/format.h>

namespace forkproof {
namespace {

std::string family(const Explanation& one) {
  std::string text = "was started by a process that nobody saw";
  if (one.starter > 0) text = fmt::format("was started by {}{}", one.starter_name, one.starter_gone ? ", which has ended" : "");
  if (one.parent != one.starter && !one.parent_name.empty()) text += fmt::format("; is now a child of {}", one.parent_name);
  const std::string group = one.group == one.pid ? "its own process group" : fmt::format("process group {}", one.group);
  const std::string session = one.session == one.pid ? "its own session" : fmt::format("session {}", one.session);
  return fmt::format("{}; is in {}, {}", text, group, session);
}

std::string signals(const Explanation& one) {
  std::string text;
  const auto add = [&text](const char* verb, const std::string& names, const char* end = "") {
    if (!names.empty()) text += fmt::format("{}{} {}{}", text.empty() ? "" : "; ", verb, names, end);
  };
  add("ignores", one.ignored), add("blocks", one.blocked), add("catches", one.caught), add("has", one.pending, " pending");
  return text;
}

}  // namespace

std::vector<std::string> sentences_of(const Explanation& one) {
  if (one.state == "gone") return {"had ended when it was looked at"};
  std::vector<std::string> all;
  if (!one.cause.empty()) all.push_back("cause: " + one.cause);
  all.push_back(family(one));
  if (std::string text = signals(one); !text.empty()) all.push_back(std::move(text));
  if (!one.stuck_in.empty()) all.push_back(one.stuck_in);
  for (const std::string& link : one.chain) {
    if (link != one.stuck_in) all.push_back(link);
  }
  all.insert(all.end(), one.holds.begin(), one.holds.end());
  if (!one.unread.empty()) all.push_back("could not be asked for " + one.unread);
  return all;
}

}  // namespace forkproof
