#include "harness/scenario/scenario_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/question.h"

namespace forkproof::scenario {
namespace {

constexpr std::size_t line_width = 110;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') out += '\\', out += each;
    else if (byte < 0x20 || byte == 0x7f) out += fmt::format("\\u{:04X}", byte);
    else out += each;
  }
  return out + "\"";
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + quoted(word);
  return "[" + out + "]";
}

std::string in_seconds_text(Nanos duration) { return fmt::format("{}", in_seconds(duration)); }

/// One TOML table as it is written: keys in the order given, their signs of equality below each other.
class Table {
 public:
  explicit Table(std::string head) : head_(std::move(head)) {}
  void add(const std::string& key, const std::string& value) { entries_.emplace_back(key, value); }
  void add_if(bool differs, const std::string& key, const std::string& value) {
    if (differs) add(key, value);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::string text() const {
    std::size_t widest = 0;
    for (const auto& [key, value] : entries_) widest = std::max(widest, key.size());
    std::string out = head_.empty() ? "" : head_ + "\n";
    for (const auto& [key, value] : entries_) out += fmt::format("{:<{}} = {}\n", key, widest, value);
    return out;
  }

 private:
  std::string head_;
  std::vector<std::pair<std::string, std::string>> entries_;
};

/// Comment lines, broken between words.
std::string comment(const std::string& text) {
  std::string out, line = "#";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() + 1 + end - at > line_width) out += line + "\n", line = "#";
    line += " " + text.substr(at, end - at);
    at = end + 1;
  }
  return out + line + "\n";
}

std::vector<std::string> keeps_words(std::uint32_t keeps) {
  if (keeps == keeps_all) return {"all"};
  std::vector<std::string> words;
  if ((keeps & keeps_stdin) != 0) words.emplace_back("stdin");
  if ((keeps & keeps_stdout) != 0) words.emplace_back("stdout");
  if ((keeps & keeps_stderr) != 0) words.emplace_back("stderr");
  return words;
}

void write_node(const TaskNode& node, const std::string& head, std::size_t copies, std::string* out) {
  const TaskNode plain;
  Table table(head);
  table.add("role", quoted(node.role));
  table.add_if(copies > 1, "copies", std::to_string(copies));
  table.add_if(node.on_term != plain.on_term, "on_term", quoted(std::string(word(node.on_term))));
  table.add_if(node.on_int != plain.on_int, "on_int", quoted(std::string(word(node.on_int))));
  table.add_if(node.sigint != plain.sigint, "sigint", quoted(std::string(word(node.sigint))));
  table.add_if(node.keeps != plain.keeps, "keeps", listed(keeps_words(node.keeps)));
  table.add_if(node.own_session, "own_session", "true");
  table.add_if(node.double_fork, "double_fork", "true");
  table.add_if(node.ends_with_children, "ends_with_children", "true");
  table.add_if(node.output_bytes != plain.output_bytes, "output_bytes", std::to_string(node.output_bytes));
  table.add_if(node.write_size_bytes != plain.write_size_bytes, "write_size_bytes", std::to_string(node.write_size_bytes));
  table.add_if(node.exit_code != plain.exit_code, "exit_code", std::to_string(node.exit_code));
  if (node.exits_after) table.add("exits_after_s", in_seconds_text(*node.exits_after));
  *out += table.text();
  const std::string path = head == "[tree]" ? "tree" : head.substr(2, head.size() - 4);
  for (std::size_t i = 0; i < node.children.size();) {
    std::size_t same = 1;
    while (i + same < node.children.size() && node.children[i + same] == node.children[i]) ++same;
    write_node(node.children[i], "[[" + path + ".children]]", same, out);
    i += same;
  }
}

std::string text_of(const FaultSpec& fault) {
  Table table("[[fault]]");
  table.add("fault", quoted(fault.fault));
  for (const auto& [key, value] : fault.settings) {
    const auto* number = std::get_if<std::int64_t>(&value);
    table.add(key, number != nullptr ? std::to_string(*number) : quoted(std::get<std::string>(value)));
  }
  table.add_if(fault.delay != Nanos{}, "delay_s", in_seconds_text(fault.delay));
  return table.text();
}

std::string text_of(const HoldRule& hold) {
  Table table("[[hold]]");
  table.add("who", quoted(hold.who));
  table.add("at", quoted(hold.at));
  table.add_if(hold.number != 1, "number", std::to_string(hold.number));
  table.add("until", quoted(hold.until_who.empty() ? "tree ready" : hold.until_who + " " + hold.until_at));
  return table.text();
}

/// The row of knobs.def that says what this word of this knob does.
const KnobValue& value_of(const std::string& key, const std::string& word) {
  for (const Knob& knob : knobs()) {
    if (knob.key != key) continue;
    for (const KnobValue& value : knob.values) {
      if (value.word == word) return value;
    }
  }
  throw BadInput("no value '" + word + "' of a knob '" + key + "'");
}

std::string text_of_knobs(const std::map<std::string, std::string>& chosen) {
  std::string wrong;
  Table table("[knobs]");
  for (const auto& [key, word] : chosen) {
    if (key == "workers") {
      table.add(key, word);
      continue;
    }
    const KnobValue& value = value_of(key, word);
    if (value.worth == Worth::wrong) wrong += comment(fmt::format("Wrong ({}): {}.", key, value.about));
    table.add(key, quoted(word));
  }
  return wrong + table.text();
}

/// The knobs of a profile that are not its base's, and the number of its workers. BadInput when anything else differs.
std::map<std::string, std::string> knobs_over(const Profile& base, const Profile& profile) {
  std::map<std::string, std::string> chosen;
  Profile rebuilt = base;
  for (const Knob& knob : knobs()) {
    const std::size_t value = knob.get(profile);
    if (value != knob.get(base)) chosen[std::string(knob.key)] = knob.values[value].word;
    knob.set(rebuilt, value);
  }
  if (profile.workers != base.workers) chosen["workers"] = std::to_string(profile.workers);
  rebuilt.workers = profile.workers;
  if (rebuilt != profile) {
    throw BadInput("profile '" + profile.name + "' differs from the library's in more than its knobs: a scenario cannot say that");
  }
  return chosen;
}

/// Real time for which `scaled` gives exactly this; the roundest that is found. A scale below 1 leaves many.
Nanos unscaled(Nanos wanted, double scale) {
  const double exact = static_cast<double>(wanted.count()) / scale;
  for (const double grid : {1e9, 1e6, 1e3, 1.0}) {
    for (const double nudge : {0.0, 1.0, -1.0}) {
      const Nanos real(static_cast<Nanos::rep>((std::round(exact / grid) + nudge) * grid));
      if (scaled(real, scale) == wanted) return real;
    }
  }
  throw BadInput(fmt::format("a patience of {} ns is none that a scenario can say at time scale {}", wanted.count(), scale));
}

std::string head_of(const Scenario& scenario, const Provenance& provenance) {
  Table table("");
  table.add("question", quoted(scenario.question));
  table.add_if(!provenance.source.empty(), "source", quoted(provenance.source));
  table.add_if(scenario.patience != Nanos{}, "patience_s", in_seconds_text(scenario.patience));
  if (scenario.startup) table.add("startup_s", in_seconds_text(*scenario.startup));
  table.add_if(scenario.settle != Nanos{}, "settle_s", in_seconds_text(scenario.settle));
  if (scenario.seed) table.add("seed", std::to_string(*scenario.seed));
  table.add_if(!scenario.schedule.empty(), "schedule", quoted(scenario.schedule));
  table.add_if(!scenario.server, "server", "false");
  return table.text();
}

const ModelSupervisor& model_of(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model == nullptr) throw BadInput("a scenario is about the model supervisor, not about a command");
  return *model;
}

void check_node(const TaskNode& node, bool root) {
  const std::uint32_t all_three = keeps_stdin | keeps_stdout | keeps_stderr;
  if (node.keeps != keeps_all && (node.keeps & ~all_three) != 0) throw BadInput("role '" + node.role + "' keeps what has no word");
  if (!root && node.sigint != SigintSetup::none) throw BadInput("only the tree's root can have a way to stand to SIGINT");
  for (const TaskNode& child : node.children) check_node(child, false);
}

}  // namespace

Scenario scenario_of(const Case& one, const Profile& base) {
  const ModelSupervisor& model = model_of(one);
  check_node(one.tree, true);
  if (one.seed > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw BadInput(fmt::format("seed {} is larger than a scenario's may be", one.seed));
  }
  Scenario scenario;
  scenario.name = one.scenario, scenario.question = one.question;
  scenario.tree = one.tree, scenario.faults = one.faults, scenario.holds = one.holds, scenario.server = one.server;
  scenario.schedule = one.schedule;
  scenario.knobs = knobs_over(base, model.profile);
  scenario.profiles = {model.profile.name}, scenario.backends = {model.backend};
  if (one.seed != 1) scenario.seed = one.seed;
  if (one.bounds.patience != least_patience) scenario.patience = unscaled(one.bounds.patience, one.time_scale());
  scenario.settle = one.bounds.settle;
  if (one.bounds.startup != default_startup(one.time_scale())) scenario.startup = one.bounds.startup;
  return scenario;
}

std::string write_scenario(const Case& one, const Provenance& provenance) {
  const Profile base = read_profile(library_directory() + "/profiles", model_of(one).profile.name);
  Scenario scenario = scenario_of(one, base);
  scenario.question = question_of(one, provenance.breaks);
  std::string out = head_of(scenario, provenance);
  for (const std::string& note : provenance.notes) out += "\n" + comment(note);
  out += "\n";
  write_node(scenario.tree, "[tree]", 1, &out);
  for (const FaultSpec& fault : scenario.faults) out += "\n" + text_of(fault);
  for (const HoldRule& hold : scenario.holds) out += "\n" + text_of(hold);
  if (!scenario.knobs.empty()) out += "\n" + text_of_knobs(scenario.knobs);
  Table across("[across]");
  across.add("profiles", listed(scenario.profiles));
  across.add("backends", listed(scenario.backends));
  out += "\n" + across.text();
  if (provenance.breaks.empty()) return out;
  Table expect("[[expect]]");
  expect.add("breaks", listed({provenance.breaks.begin(), provenance.breaks.end()}));
  return out + "\n" + expect.text();
}

}  // namespace forkproof::scenario
