#include "reports/process_tree.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "reports/cast.h"
#include "reports/layout.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t most_lines = 24;  // of a tree: the rest is counted
constexpr std::size_t half = 38;

/// pid -> parent, for who is there.
using Family = std::map<Pid, Pid>;

/// By what was told until teardown was asked for, or until the tree was ready where nothing asked.
Family family_before(const History& history) {
  Family family;
  for (const Event& event : history.events()) {
    if (event.as<TeardownAsked>() != nullptr) break;
    if (const auto* spawned = event.as<Spawned>()) family[spawned->pid] = spawned->parent;
    if (const auto* moved = event.as<Reparented>()) family[moved->pid] = moved->to;
    if (const auto* exited = event.as<Exited>()) family.erase(exited->pid);
  }
  return family;
}

/// By the last census.
Family family_after(const History& history, std::map<Pid, std::string>* marks) {
  Family family;
  for (const Event& event : history.events()) {
    const auto* census = event.as<CensusTaken>();
    if (census == nullptr) continue;
    family.clear();
    for (const CensusEntry& entry : census->processes) {
      family[entry.pid] = entry.parent;
      if (entry.state == "Z") (*marks)[entry.pid] = "zombie";
    }
  }
  for (const Event& event : history.events()) {
    const auto* moved = event.as<Reparented>();
    // A zombie is nobody's orphan: it has ended, and waits to be reaped.
    if (moved != nullptr && family.contains(moved->pid)) marks->try_emplace(moved->pid, "orphan");
  }
  return family;
}

void draw_below(const Family& family, const Cast& cast, const std::map<Pid, std::string>& marks, Pid parent,
                const std::string& indent, std::vector<std::string>* lines) {
  std::vector<Pid> children;
  for (const auto& [pid, its_parent] : family) {
    const bool lost = parent == cast.warden() && its_parent != parent && !family.contains(its_parent);
    if (pid != parent && (its_parent == parent || lost)) children.push_back(pid);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size();
    const auto mark = marks.find(children[i]);
    const std::string line = indent + (last ? "`- " : "|- ") + cast.name(children[i]);
    lines->push_back(clipped(line + (mark == marks.end() ? "" : "  <- " + mark->second), half - 2));
    draw_below(family, cast, marks, children[i], indent + (last ? "   " : "|  "), lines);
  }
}

std::vector<std::string> drawn(Family family, const Cast& cast, const std::map<Pid, std::string>& marks) {
  family.erase(cast.warden());  // nobody's child, whatever a damaged history says: it would be drawn below itself for ever
  std::vector<std::string> lines{"PID 1"};
  draw_below(family, cast, marks, cast.warden(), "", &lines);
  if (family.empty()) lines.push_back("(nobody else)");
  if (lines.size() > most_lines) {
    const std::size_t more = lines.size() - most_lines;
    lines.resize(most_lines);
    lines.push_back(fmt::format("... and {} more", more));
  }
  return lines;
}

}  // namespace

std::string before_and_after(const History& history) {
  const Cast cast(history);
  std::map<Pid, std::string> marks;
  const auto before = drawn(family_before(history), cast, {});
  const auto after = drawn(family_after(history, &marks), cast, marks);
  std::string text = fmt::format("  {:<{}}{}\n", "before the fault", half, "at the end");
  for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const std::string left = i < before.size() ? before[i] : "", right = i < after.size() ? after[i] : "";
    std::string line = fmt::format("  {:<{}}{}", left, half, right);
    while (line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

}  // namespace forkproof::reports
