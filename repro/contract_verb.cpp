// repro contract: what a child of each spawn backend really starts with, measured.
// repro report-start: not for people; what an exec'd child of it runs.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "fixtures/contract/starting_state.h"
#include "harness/core/error.h"
#include "harness/run/contract.h"
#include "harness/spawn/backend.h"
#include "repro/common.h"
#include "repro/values.h"

namespace forkproof {
namespace {

using States = std::vector<run::StartingState>;

constexpr std::size_t columns = 80, first_width = 18;

/// The value that most backends have; the others are marked.
std::string usual(const States& states, const std::string& key) {
  std::map<std::string, int> counts;
  for (const auto& state : states) {
    if (const auto found = state.values.find(key); found != state.values.end()) ++counts[found->second];
  }
  std::string best;
  for (const auto& [value, count] : counts) {
    if (best.empty() || count > counts[best]) best = value;
  }
  return best;
}

void trim_and_add(std::string line, std::string* text) {
  line.erase(line.find_last_not_of(' ') + 1);
  *text += line + "\n";
}

std::string table(const States& states) {
  std::string text;
  for (std::size_t from = 0; from < states.size();) {
    std::size_t width = first_width, to = from;
    while (to < states.size() && (to == from || width + states[to].backend.size() + 2 <= columns)) {
      width += std::max<std::size_t>(states[to++].backend.size(), 8) + 2;
    }
    std::string head(first_width, ' ');
    const auto column = [&](std::size_t i) { return std::max<std::size_t>(states[i].backend.size(), 8) + 2; };
    for (std::size_t i = from; i < to; ++i) head += fmt::format("{:<{}}", states[i].backend, column(i));
    trim_and_add(head, &text);
    for (const auto& property : fixtures::starting_properties()) {
      std::string line = fmt::format("{:<{}}", property.key, first_width);
      for (std::size_t i = from; i < to; ++i) {
        const auto found = states[i].values.find(property.key);
        const std::string value = found == states[i].values.end() ? "?" : found->second;
        line += fmt::format("{:<{}}", value + (value == usual(states, property.key) ? "" : " *"), column(i));
      }
      trim_and_add(line, &text);
    }
    text += "\n";
    from = to;
  }
  text += "* not as with most backends; - the child starts without it; ? not measured\n";
  for (const auto& state : states) {
    if (!state.failure.empty()) text += fmt::format("{}: {}\n", state.backend, state.failure);
  }
  text += "\nThe parent has:\n";
  for (const auto& property : fixtures::starting_properties()) {
    text += fmt::format("  {:<17} {}\n", property.key, property.about);
  }
  return text;
}

std::string document(const States& states) {
  nlohmann::ordered_json json;
  for (const auto& property : fixtures::starting_properties()) json["parent"][property.key] = property.about;
  json["backends"] = nlohmann::ordered_json::object();
  for (const auto& state : states) {
    auto& entry = json["backends"][state.backend];
    entry = nlohmann::ordered_json::object();
    for (const auto& property : fixtures::starting_properties()) {
      const auto found = state.values.find(property.key);
      if (found != state.values.end()) entry[property.key] = found->second;
    }
    if (!state.failure.empty()) entry["failure"] = state.failure;
  }
  return json.dump(2) + "\n";
}

int act(std::vector<std::string> backends, const std::string& format, const std::string& output_path) {
  if (format != "text" && format != "json") throw BadInput("--format " + format + ": unknown; one of: text, json");
  if (backends.empty()) {
    for (const auto& row : spawn::backends()) backends.emplace_back(row.key);
  }
  for (const std::string& backend : backends) {
    const std::string reserved = spawn::reserved_backend(backend);
    if (!reserved.empty()) throw BadInput(reserved);
    if (spawn::find_backend(backend) == nullptr) throw BadInput("no spawn backend '" + clipped(backend) + "'; `repro list backends` shows them");
  }
  Output output(output_path);
  const States states = run::measure_contract(backends, arena::provide(), "/proc/self/exe");
  output.write(format == "json" ? document(states) : table(states));
  const bool all = std::all_of(states.begin(), states.end(), [](const auto& state) { return state.failure.empty(); });
  return all ? as_expected : could_not_tell;
}

}  // namespace

int contract_verb(int argc, char** argv) {
  std::vector<std::string> backends;
  std::string format = "text", output;
  CLI::App app("Measures what a child of each spawn backend really starts with, out of one\n"
               "parent that has threads, blocked and ignored signals, handlers, open\n"
               "descriptors and more.",
               "repro contract");
  app.add_option("--backend", backends, "only these spawn backends")->type_name("A,B")->expected(1);
  app.add_option("--format", format, "text or json (text)")->type_name("F");
  app.add_option("--output", output, "a file instead of standard output")->type_name("FILE")->check(not_empty());
  return run_verb_with(app, argc, argv, [&] { return act(split_names("--backend", backends), format, output); });
}

int report_start_verb(int, char**) {
  fixtures::report_starting_state(STDOUT_FILENO);
  return as_expected;
}

}  // namespace forkproof
