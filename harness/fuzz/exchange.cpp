#include "harness/fuzz/exchange.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "harness/core/schedule.h"

namespace forkproof::fuzz {
namespace {

std::string ordinal(int number) {
  const char* const endings[] = {"th", "st", "nd", "rd"};
  const bool teen = number % 100 / 10 == 1;
  return std::to_string(number) + (teen || number % 10 > 3 ? "th" : endings[number % 10]);
}

/// How often each process has passed each point.
using Passed = std::map<std::pair<Pid, std::string>, int>;

Passing passing_of(const WaitingAt& who, const Passed& passed) {
  const auto before = passed.find({who.pid, who.point});
  return {who.pid, who.node, who.role, who.point, before == passed.end() ? 1 : before->second + 1};
}

/// The turn that `letter` has later is taken now: the rest keeps its order.
std::string moved_up(std::string letters, std::size_t place, char letter) {
  const std::size_t own = letters.find(letter, place);
  if (own != std::string::npos) letters.erase(own, 1);  // else it goes later where nobody else waits
  return letters.insert(place, 1, letter);
}

void exchanges_at(const Scheduled& step, const std::string& order, const Passed& passed, std::vector<Exchange>* all) {
  const auto place = static_cast<std::size_t>(step.decision - 1);
  const auto went = std::find_if(step.waiting.begin(), step.waiting.end(), [&](const auto& each) { return each.pid == step.pid; });
  if (went == step.waiting.end() || place >= order.size()) return;
  std::string tried{step.letter};
  for (const WaitingAt& other : step.waiting) {
    const char letter = letter_of(other.node);
    if (tried.find(letter) != std::string::npos) continue;  // the schedule cannot tell two of one node apart
    tried += letter;
    all->push_back({moved_up(order, place, letter), place + 1, passing_of(other, passed), passing_of(*went, passed)});
  }
}

}  // namespace

std::string text(const Passing& passing) {
  const std::string time = passing.number == 1 ? "" : fmt::format(" for the {} time", ordinal(passing.number));
  return fmt::format("{}({}) passes \"{}\"{}", passing.role, passing.pid, passing.point, time);
}

std::string text(const Exchange& exchange) {
  return text(exchange.sooner) + " before " + text(exchange.later);
}

std::vector<Exchange> exchanges_in(const History& history) {
  const std::string order = schedule_of(history);
  std::vector<Exchange> all;
  Passed passed;
  for (const Event& event : history.events()) {
    const auto* step = event.as<Scheduled>();
    if (step == nullptr) continue;
    if (step->decision > 0) exchanges_at(*step, order, passed, &all);
    ++passed[{step->pid, step->point}];
  }
  std::stable_sort(all.begin(), all.end(), [](const Exchange& left, const Exchange& right) { return left.decision > right.decision; });
  return all;
}

}  // namespace forkproof::fuzz
