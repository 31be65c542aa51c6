#include "harness/core/schedule.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "harness/core/error.h"

namespace forkproof {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw BadInput(fmt::format("schedule '{}': {}; wants random:SEED, pct:SEED:CHANGES, or a letter for each decision "
                             "(s: the supervisor, a: the task, b, c ...: its descendants)",
                             text.substr(0, 60), why));
}

std::uint64_t number(std::string_view text, std::string_view whole, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    refuse(whole, fmt::format("'{}' is no number up to {}", text, most));
  }
  return value;
}

}  // namespace

char letter_of(std::int32_t node) {
  if (node < 0) return letter_of_supervisor;
  const auto place = static_cast<std::size_t>(node);
  return place < letters_of_nodes.size() ? letters_of_nodes[place] : '?';
}

std::int32_t node_of(char letter) {
  if (letter == letter_of_supervisor) return -1;
  const std::size_t place = letters_of_nodes.find(letter);
  return place == std::string_view::npos ? -2 : static_cast<std::int32_t>(place);
}

Schedule schedule_from(std::string_view text) {
  if (text.empty()) return AsItComes{};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    for (const char letter : text) {
      if (letter != letter_of_default && node_of(letter) == -2) refuse(text, fmt::format("'{}' is no letter of a process", letter));
    }
    if (text.size() > most_decisions) refuse(text, fmt::format("longer than {} decisions", most_decisions));
    return ExplicitOrder{std::string(text)};
  }
  const std::string_view kind = text.substr(0, colon), rest = text.substr(colon + 1);
  if (kind == "random") return RandomOrder{number(rest, text, ~std::uint64_t{0})};
  if (kind != "pct") refuse(text, fmt::format("no kind '{}'", kind));
  const std::size_t second = rest.find(':');
  if (second == std::string_view::npos) refuse(text, "the number of changes is missing");
  return PctOrder{number(rest.substr(0, second), text, ~std::uint64_t{0}),
                  number(rest.substr(second + 1), text, most_changes)};
}

namespace {

bool is_somebodys(char letter, std::size_t nodes) {
  return letter == letter_of_default || node_of(letter) < static_cast<std::int32_t>(nodes);
}

}  // namespace

std::string schedule_for(std::string text, std::size_t nodes) {
  if (!std::holds_alternative<ExplicitOrder>(schedule_from(text))) return text;
  std::replace_if(text.begin(), text.end(), [nodes](char letter) { return !is_somebodys(letter, nodes); }, letter_of_default);
  return text;
}

void check_schedule(std::string_view text, std::size_t nodes) {
  const Schedule schedule = schedule_from(text);
  if (!text.empty() && nodes > most_scheduled_nodes) {
    refuse(text, fmt::format("the tree has {} processes, and only {} have a letter", nodes, most_scheduled_nodes));
  }
  const auto* order = std::get_if<ExplicitOrder>(&schedule);
  if (order == nullptr) return;
  for (const char letter : order->letters) {
    if (is_somebodys(letter, nodes)) continue;
    refuse(text, fmt::format("'{}' is nobody's letter: the tree has {} process{}, a{}", letter, nodes, nodes == 1 ? "" : "es",
                             nodes == 1 ? "" : fmt::format(" to {}", letter_of(static_cast<std::int32_t>(nodes) - 1))));
  }
}

std::string text(const Schedule& schedule) {
  if (const auto* random = std::get_if<RandomOrder>(&schedule)) return fmt::format("random:{}", random->seed);
  if (const auto* pct = std::get_if<PctOrder>(&schedule)) return fmt::format("pct:{}:{}", pct->seed, pct->changes);
  if (const auto* letters = std::get_if<ExplicitOrder>(&schedule)) return letters->letters;
  return {};
}

std::string schedule_of(const History& history) {
  std::string letters;
  for (const Event& event : history.events()) {
    const auto* scheduled = event.as<Scheduled>();
    if (scheduled != nullptr && scheduled->decision > 0) letters += scheduled->letter;
  }
  return letters;
}

}  // namespace forkproof
