#include "reports/names.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "harness/core/shell_word.h"
#include "reports/layout.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t longest_command = 60;  // as a name: a script in one word can be of any length

}  // namespace

std::string subject_name(const CellSummary& cell) {
  const auto* command = std::get_if<Command>(&cell.one.subject);
  if (command == nullptr) return cell.one.profile_name();
  return command->target.empty() ? clipped(shell_line(command->argv), longest_command) : command->target;
}

std::string variant_name(const CellSummary& cell) {
  const std::size_t slash = cell.one.scenario.find('/');
  return slash == std::string::npos ? "" : cell.one.scenario.substr(slash + 1);
}

std::string scenario_name(const CellSummary& cell) { return cell.one.scenario.substr(0, cell.one.scenario.find('/')); }

std::string full_scenario_name(const CellSummary& cell) { return cell.one.scenario; }

std::string row_name(const CellSummary& cell) {
  const std::string variant = variant_name(cell);
  return variant.empty() ? subject_name(cell) : variant + " " + subject_name(cell);
}

std::string cell_name(const CellSummary& cell) {
  std::string name = cell.one.scenario + ": " + subject_name(cell);
  if (!cell.one.backend_name().empty()) name += " / " + cell.one.backend_name();
  return name;
}

std::vector<std::string> distinct(const Cells& cells, std::string (*name)(const CellSummary&)) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const CellSummary* cell : cells) {
    std::string each = name(*cell);
    if (seen.insert(each).second) names.push_back(std::move(each));
  }
  return names;
}

Cells pointers_to(const std::vector<CellSummary>& cells) {
  Cells pointers;
  for (const CellSummary& cell : cells) pointers.push_back(&cell);
  return pointers;
}

std::vector<std::pair<std::string, Cells>> grouped_by(const Cells& cells, std::string (*name)(const CellSummary&)) {
  std::vector<std::pair<std::string, Cells>> groups;
  std::map<std::string, std::size_t> places;
  for (const CellSummary* cell : cells) {
    const auto [place, is_new] = places.try_emplace(name(*cell), groups.size());
    if (is_new) groups.emplace_back(place->first, Cells{});
    groups[place->second].second.push_back(cell);
  }
  return groups;
}

Letters letters_for(const std::vector<std::string>& oracles) {
  Letters letters;
  std::set<char> taken;
  for (const std::string& oracle : oracles) {
    std::string candidates;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      const bool starts_word = i == 0 || oracle[i - 1] == '-';
      if (starts_word && oracle.compare(i, 3, "no-") != 0) candidates += oracle[i];
    }
    candidates += oracle + "abcdefghijklmnopqrstuvwxyz0123456789";
    letters[oracle] = '#';
    for (const char each : candidates) {
      const char letter = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
      if (letter == '-' || !taken.insert(letter).second) continue;
      letters[oracle] = letter;
      break;
    }
  }
  return letters;
}

std::string grouped(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string all;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) all += ',';
    all += digits[i];
  }
  return all;
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return grouped(count) + " " + (count == 1 ? one : many);
}

std::vector<std::string> reproducing_words(const CellSummary& cell, const RunSummary& summary) {
  if (cell.asked.starts_with("repro ")) return {cell.asked};  // of an invented case: there is no scenario to name
  const std::string variant = variant_name(cell);
  std::string scenario = cell.asked.empty() ? cell.one.scenario : cell.asked;
  // Where the command line named the variant itself, it is there already.
  if (!variant.empty() && !scenario.ends_with(fmt::format("/{}", variant))) scenario.append("/").append(variant);
  std::vector<std::string> words{"repro", shell_word(scenario)};
  const auto add = [&words](const char* option, const std::string& value) {
    words.push_back(std::string(option) + " " + shell_word(value));
  };
  if (!cell.one.profile_name().empty()) add("--profile", cell.one.profile_name());
  if (!cell.one.backend_name().empty()) add("--backend", cell.one.backend_name());
  const auto* command = std::get_if<Command>(&cell.one.subject);
  if (command != nullptr && !command->target.empty()) add("--target", command->target);
  if (summary.time_scale) add("--time-scale", fmt::format("{}", *summary.time_scale));
  if (summary.schedule) add("--schedule", *summary.schedule);
  if (summary.arena_asked) add("--arena", *summary.arena_asked);
  if (summary.observe && command != nullptr) add("--observe", *summary.observe);  // a model's own words are enough
  for (const std::string& path : command != nullptr ? command->shares : std::vector<std::string>{}) add("--share", path);
  if (cell.one.seed != 1) add("--seed", std::to_string(cell.one.seed));
  if (command != nullptr && command->target.empty()) {
    words.emplace_back("--");
    for (const std::string& word : command->argv) words.push_back(shell_word(word));
  }
  return words;
}

std::string reproducing_line(const CellSummary& cell, const RunSummary& summary) {
  return fmt::format("{}", fmt::join(reproducing_words(cell, summary), " "));
}

}  // namespace forkproof::reports
