#include "harness/scenario/scenario.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <limits>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/schedule.h"
#include "harness/scenario/keys.h"
#include "harness/scenario/toml_reader.h"

namespace forkproof::scenario {
namespace {

constexpr std::int64_t most_seed = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t most_workers = 64;
constexpr std::size_t longest_role = 15;  // what prctl(PR_SET_NAME) keeps
const std::vector<std::string> answer_words{"default", "ignore", "return", "exit", "fork", "inherit"};
const std::vector<std::string> reserved_roles{"supervisor", "server", "warden", "keeper", "second-task", "forkserver"};
constexpr char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/// Where nothing is said: `inherits`.
Answer read_answer(TomlTable& table, const std::string& key, bool for_commands) {
  if (!table.has(key)) return Answer::inherits;
  const std::string word = table.text(key, "inherit");
  const auto answer = answer_from(word);
  if (!answer) table.refuse_word(key, word, answer_words);
  if (*answer == Answer::inherits && !for_commands) {
    table.refuse(key, "'inherit' is for subject = \"command\": the model supervisor's tasks set SIG_DFL");
  }
  return *answer;
}

/// The tree under the model supervisor: its tasks reset their signals, as airflow's start does.
TaskNode with_default_signals(TaskNode node) {
  for (Answer* answer : {&node.on_term, &node.on_int}) {
    if (*answer == Answer::inherits) *answer = Answer::dies;
  }
  for (TaskNode& child : node.children) child = with_default_signals(std::move(child));
  return node;
}

SigintSetup read_sigint(TomlTable& table) {
  if (!table.has("sigint")) return SigintSetup::none;
  const std::string word = table.text("sigint");
  std::vector<std::string> known;
  for (const SigintRow& row : sigint_setups()) {
    if (row.word == word) return row.setup;
    known.emplace_back(row.word);
  }
  table.refuse_word("sigint", word, known);
}

std::uint32_t read_keeps(TomlTable& table) {
  std::uint32_t keeps = keeps_none;
  for (const std::string& word : table.words("keeps")) {
    if (word == "stdin") keeps |= keeps_stdin;
    else if (word == "stdout") keeps |= keeps_stdout;
    else if (word == "stderr") keeps |= keeps_stderr;
    else if (word == "all") keeps = keeps_all;
    else table.refuse_word("keeps", word, {"stdin", "stdout", "stderr", "all"});
  }
  return keeps;
}

/// What stands in reports, in rules of two words and in paths is made of letters that mean nothing in any of them.
void check_name(const TomlTable& table, const std::string& key, const std::string& name) {
  const bool plain = name.find_first_not_of(name_letters) == std::string::npos;
  if (plain && !name.empty() && name != "." && name != "..") return;
  table.refuse(key, fmt::format("{:?} is no name: letters, digits, '.', '_' and '-' make one", name));
}

std::string read_role(TomlTable& table, const std::string& otherwise) {
  const std::string role = table.text("role", otherwise);
  if (role.empty() || role.size() > longest_role) {
    table.refuse("role", fmt::format("'{}' is not from 1 to {} bytes long", role, longest_role));
  }
  check_name(table, "role", role);
  if (std::find(reserved_roles.begin(), reserved_roles.end(), role) != reserved_roles.end()) {
    table.refuse("role", "'" + role + "' is a name of the rig's own");
  }
  return role;
}

struct Counted {
  TaskNode node;
  std::size_t count = 1;
};

Counted read_node(TomlTable table, std::size_t level, bool for_commands) {
  if (level > max_levels) table.refuse("", fmt::format("the tree is deeper than {} levels", max_levels));
  Counted read;
  TaskNode& node = read.node;
  node.role = read_role(table, level == 1 ? "task" : "helper");
  node.on_term = read_answer(table, "on_term", for_commands);
  node.on_int = read_answer(table, "on_int", for_commands);
  node.keeps = read_keeps(table);
  node.own_session = table.flag("own_session", false);
  node.double_fork = table.flag("double_fork", false);
  node.ends_with_children = table.flag("ends_with_children", false);
  node.output_bytes = static_cast<std::uint64_t>(table.number("output_bytes", 0, std::int64_t{1} << 40, 0));
  node.write_size_bytes = static_cast<std::uint64_t>(
      table.number("write_size_bytes", 1, static_cast<std::int64_t>(most_write_size), static_cast<std::int64_t>(default_write_size)));
  if (level == 1) node.sigint = read_sigint(table);
  node.exit_code = static_cast<int>(table.number("exit_code", 0, 255, 0));
  node.exits_after = table.seconds("exits_after_s");
  if (level == 1 && (table.has("copies") || node.double_fork)) {
    table.refuse("", "the tree's root is one process that the supervisor waits for: no copies, no double_fork");
  }
  for (TomlTable& below : table.tables("children")) {
    const auto copies = static_cast<std::size_t>(below.number("copies", 1, 1'000'000'000, 1));
    const Counted child = read_node(below, level + 1, for_commands);
    read.count += child.count * copies;
    if (read.count > max_nodes) below.refuse("", fmt::format("the tree has more than {} nodes", max_nodes));
    node.children.insert(node.children.end(), copies, child.node);
  }
  table.finish("tree");
  return read;
}

/// A setting's word: one of those that it allows, where it names any.
std::string read_word(TomlTable& table, const Setting& setting) {
  const std::string key(setting.key);
  const std::string word = table.text(key);
  std::istringstream allowed{std::string(setting.words)};
  const std::vector<std::string> known(std::istream_iterator<std::string>(allowed), {});
  if (!known.empty() && std::find(known.begin(), known.end(), word) == known.end()) table.refuse_word(key, word, known);
  return word;
}

/// A pause before a command's faults strike. A model supervisor announces where it is, so nothing has to be waited for.
Nanos read_pause(TomlTable& table, const std::string& key, bool for_commands) {
  const auto pause = table.seconds(key);
  if (!pause) return {};
  if (!for_commands) table.refuse(key, "is a command's: a model supervisor is struck at its sync points");
  if (*pause > longest_pause) table.refuse(key, fmt::format("is more than {:.0f} seconds", in_seconds(longest_pause)));
  return *pause;
}

FaultSpec read_fault(TomlTable table, const Vocabulary& vocabulary, bool for_commands) {
  FaultSpec fault{table.text("fault"), {}};
  std::vector<std::string> known;
  const Vocabulary::FaultWords* words = nullptr;
  for (const auto& each : vocabulary.faults) {
    known.push_back(each.key);
    if (each.key == fault.fault) words = &each;
  }
  if (words == nullptr) table.refuse_word("fault", fault.fault, known);
  for (const Setting& setting : words->settings) {
    const std::string key(setting.key);
    if (!setting.required && !table.has(key)) {
      table.words(key);
      continue;
    }
    if (setting.is_number) fault.settings[key] = table.number(key, setting.least, setting.most);
    else if (setting.words == "true false" && !table.is_text(key)) fault.settings[key] = table.flag(key, false) ? "true" : "false";
    else fault.settings[key] = read_word(table, setting);
  }
  fault.delay = read_pause(table, "delay_s", for_commands);
  std::vector<std::string> own_settings;
  for (const Setting& setting : words->settings) own_settings.emplace_back(setting.key);
  table.finish("fault", own_settings);
  const std::string wrong = words->check != nullptr ? words->check(fault) : "";
  if (!wrong.empty()) table.refuse("", fault.fault + ": " + wrong);
  return fault;
}

bool acts_in_subject(const FaultSpec& fault, const Vocabulary& vocabulary) {
  return std::any_of(vocabulary.faults.begin(), vocabulary.faults.end(),
                     [&fault](const Vocabulary::FaultWords& words) { return words.in_subject && words.key == fault.fault; });
}

/// The supervisor and the task take one fault into themselves; of a second one nothing would come about.
std::vector<FaultSpec> read_faults(std::vector<TomlTable> tables, const Vocabulary& vocabulary, bool for_commands) {
  std::vector<FaultSpec> faults;
  const FaultSpec* inside = nullptr;
  faults.reserve(tables.size());
  for (TomlTable& table : tables) {
    faults.push_back(read_fault(table, vocabulary, for_commands));
    if (!acts_in_subject(faults.back(), vocabulary)) continue;
    if (inside != nullptr) {
      table.refuse("fault", fmt::format("{} and {} both act inside the subject, and a case has room for one such fault: ask them in two scenarios",
                                        inside->fault, faults.back().fault));
    }
    inside = &faults.back();
  }
  return faults;
}

void add_roles(const TaskNode& node, std::vector<std::string>* roles) {
  if (std::find(roles->begin(), roles->end(), node.role) == roles->end()) roles->push_back(node.role);
  for (const TaskNode& child : node.children) add_roles(child, roles);
}

/// Who can announce a sync point: the supervisor, the server, then the roles of the tree, its root's first.
std::vector<std::string> announcing_roles(const TaskNode& tree) {
  std::vector<std::string> roles{"supervisor", "server"};
  add_roles(tree, &roles);
  return roles;
}

bool announces(const std::string& role, Announcer by, const std::vector<std::string>& roles) {
  switch (by) {
    case Announcer::supervisor: return role == roles[0];
    case Announcer::server: return role == roles[1];
    case Announcer::root: return role == roles[2];
    case Announcer::node: return role != roles[0] && role != roles[1];
  }
  return false;
}

/// A rule about who never comes to that point would never hold, and the race never be asked.
void check_point(const TomlTable& table, const char* who_key, const char* at_key, const std::string& who, const std::string& at,
                 const std::vector<std::string>& roles, const Vocabulary& vocabulary) {
  if (std::find(roles.begin(), roles.end(), who) == roles.end()) table.refuse_word(who_key, who, roles);
  std::vector<std::string> all, its_own;
  const SyncPointWord* found = nullptr;
  for (const SyncPointWord& word : vocabulary.sync_points) {
    all.push_back(word.point);
    if (announces(who, word.by, roles)) its_own.push_back(word.point);
    if (word.point == at) found = &word;
  }
  if (found == nullptr) table.refuse_word(at_key, at, all);
  if (announces(who, found->by, roles)) return;
  table.refuse(at_key, fmt::format("{} never comes to '{}' (it comes to: {})", who, at, fmt::join(its_own, ", ")));
}

HoldRule read_hold(TomlTable table, const std::vector<std::string>& roles, const Vocabulary& vocabulary) {
  HoldRule hold;
  hold.who = table.text("who");
  hold.at = table.text("at");
  hold.number = table.number("number", 1, 1'000'000, 1);
  const std::string until = table.text("until");
  table.finish("hold");
  check_point(table, "who", "at", hold.who, hold.at, roles, vocabulary);
  if (until == "tree ready") {
    hold.until_at = "ready";
    return hold;
  }
  const std::size_t space = until.find(' ');
  if (space == std::string::npos) table.refuse("until", "wants \"tree ready\" or \"ROLE SYNC-POINT\"");
  hold.until_who = until.substr(0, space);
  hold.until_at = until.substr(space + 1);
  check_point(table, "until", "until", hold.until_who, hold.until_at, roles, vocabulary);
  return hold;
}

void check_words(const TomlTable& table, const std::string& key, const std::vector<std::string>& words,
                 const std::vector<std::string>& known) {
  for (const std::string& word : words) {
    if (std::find(known.begin(), known.end(), word) == known.end()) table.refuse_word(key, word, known);
  }
}

/// Two cells of one name would share a history file, and a row of the table.
void check_once(const TomlTable& table, const std::string& key, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (std::count(words.begin(), words.end(), word) > 1) table.refuse(key, "'" + word + "' is there twice");
  }
}

bool fits(const std::vector<std::string>& allowed, const std::string& word) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), word) != allowed.end();
}

void check_backends(const TomlTable& table, const std::string& key, const std::vector<std::string>& words,
                    const Vocabulary& vocabulary) {
  for (const std::string& word : words) {
    const std::string reserved = vocabulary.reserved_backend ? vocabulary.reserved_backend(word) : "";
    if (!reserved.empty()) table.refuse(key, reserved);
  }
  check_words(table, key, words, vocabulary.backends);
}

Expectation read_expectation(TomlTable table, const Scenario& scenario, const std::vector<std::string>& variants,
                             const Vocabulary& vocabulary) {
  Expectation expectation;
  expectation.variants = table.words("variant");
  expectation.profiles = table.words("profile");
  expectation.backends = table.words("backend");
  const std::vector<std::string> breaks = table.words("breaks");
  table.finish("expect");
  if (!expectation.variants.empty() && variants.empty()) table.refuse("variant", "this file has no [[variant]]");
  check_words(table, "variant", expectation.variants, variants);
  // A variant may be crossed with other profiles than the rest.
  if (fits(expectation.variants, scenario.variant)) check_words(table, "profile", expectation.profiles, scenario.profiles);
  check_backends(table, "backend", expectation.backends, vocabulary);
  if (fits(expectation.variants, scenario.variant)) check_words(table, "backend", expectation.backends, scenario.backends);
  check_words(table, "breaks", breaks, vocabulary.oracles);
  expectation.breaks.insert(breaks.begin(), breaks.end());
  return expectation;
}

/// Knobs that the question itself decides, whatever the profile says of them.
std::map<std::string, std::string> read_knobs(TomlTable table) {
  std::map<std::string, std::string> chosen;
  for (const Knob& knob : knobs()) {
    const std::string key(knob.key);
    if (!table.has(key)) continue;
    std::vector<std::string> known;
    for (const KnobValue& value : knob.values) known.emplace_back(value.word);
    const std::string word = table.text(key);
    if (std::find(known.begin(), known.end(), word) == known.end()) table.refuse_word(key, word, known);
    chosen[key] = word;
  }
  if (table.has("workers")) chosen["workers"] = std::to_string(table.number("workers", 1, most_workers));
  table.finish("knobs", knob_keys());
  return chosen;
}

std::string read_schedule(TomlTable& table, std::size_t nodes) {
  const std::string schedule = table.text("schedule", "");
  try {
    check_schedule(schedule, nodes);
  } catch (const BadInput& wrong) {
    table.refuse("schedule", wrong.what());
  }
  return schedule;
}

/// What a question of a model supervisor is crossed with.
void read_across(TomlTable& table, const Vocabulary& vocabulary, Scenario* scenario) {
  auto across = table.table("across");
  if (!across) table.refuse("", "'[across]' is missing");
  scenario->profiles = across->words("profiles");
  if (scenario->profiles.empty()) across->refuse("", "'profiles' is missing");
  if (!vocabulary.profiles.empty()) check_words(*across, "profiles", scenario->profiles, vocabulary.profiles);
  scenario->backends = across->words("backends");
  if (scenario->backends == std::vector<std::string>{"all"} || scenario->backends.empty()) {
    scenario->backends = vocabulary.backends;
  }
  check_backends(*across, "backends", scenario->backends, vocabulary);
  check_once(*across, "profiles", scenario->profiles);
  check_once(*across, "backends", scenario->backends);
  across->finish("across");
}

bool reads_for_commands(TomlTable& table) {
  const std::string subject = table.text("subject", "model");
  if (subject != "model" && subject != "command") table.refuse_word("subject", subject, {"model", "command"});
  return subject == "command";
}

Scenario read(TomlTable table, const std::string& path, const Vocabulary& vocabulary, const std::string& variant = "",
              const std::vector<std::string>& variants = {}) {
  Scenario scenario;
  scenario.variant = variant;
  scenario.path = path;
  scenario.name = std::filesystem::path(path).stem().string();
  scenario.question = table.text("question");
  scenario.source = table.text("source", "");
  scenario.in_matrix = table.flag("in_matrix", true);
  scenario.patience = table.seconds("patience_s").value_or(Nanos{});
  scenario.startup = table.seconds("startup_s");
  if (table.has("seed")) scenario.seed = static_cast<std::uint64_t>(table.number("seed", 0, most_seed));
  else table.words("seed");
  auto tree = table.table("tree");
  if (!tree) table.refuse("", "'[tree]' is missing");
  scenario.for_commands = reads_for_commands(table);
  scenario.command_tree = read_node(*tree, 1, scenario.for_commands).node;
  scenario.tree = scenario.for_commands ? scenario.command_tree : with_default_signals(scenario.command_tree);
  scenario.schedule = read_schedule(table, count_nodes(scenario.tree));
  scenario.server = table.flag("server", true);
  scenario.settle = read_pause(table, "settle_s", scenario.for_commands);
  scenario.faults = read_faults(table.tables("fault"), vocabulary, scenario.for_commands);
  const std::vector<std::string> roles = announcing_roles(scenario.tree);
  for (TomlTable& each : table.tables("hold")) scenario.holds.push_back(read_hold(each, roles, vocabulary));
  if (const auto chosen = table.table("knobs")) scenario.knobs = read_knobs(*chosen);
  scenario.teardown = table.seconds("teardown_s").value_or(scenario.teardown);
  if (scenario.for_commands) scenario.in_matrix = false;
  else read_across(table, vocabulary, &scenario);
  for (TomlTable& each : table.tables("expect")) {
    if (scenario.for_commands) each.refuse("", "what is expected of a command stands in its target's file, not here");
    scenario.expectations.push_back(read_expectation(each, scenario, variants, vocabulary));
  }
  table.finish("scenario");
  return scenario;
}

std::vector<Scenario> read_all(TomlTable table, const std::string& path, const Vocabulary& vocabulary,
                               const std::string& only) {
  std::vector<TomlTable> overlays = table.tables("variant");
  std::vector<std::string> names;
  for (TomlTable& each : overlays) {
    names.push_back(each.text("name"));
    check_name(each, "name", names.back());
    if (std::count(names.begin(), names.end(), names.back()) > 1) each.refuse("name", "is there twice");
  }
  if (!only.empty() && std::find(names.begin(), names.end(), only) == names.end()) {
    const std::string near = nearest(only, names);
    throw BadInput(path + ": no variant '" + only + "'" + (names.empty() ? "; it has none" : near.empty() ? fmt::format(" (one of: {})", fmt::join(names, ", ")) : " (did you mean '" + near + "'?)"));
  }
  if (overlays.empty()) return {read(table, path, vocabulary)};
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < overlays.size(); ++i) {
    if (!only.empty() && names[i] != only) continue;
    scenarios.push_back(read(table.with_overlay("variant", i), path, vocabulary, names[i], names));
  }
  return scenarios;
}

}  // namespace

std::vector<std::string> variants_in(const std::string& path) {
  std::vector<std::string> names;
  for (TomlTable& each : TomlTable::from_file(path).tables("variant")) names.push_back(each.text("name"));
  return names;
}

std::vector<Scenario> read_scenarios(const std::string& path, const Vocabulary& vocabulary, const std::string& only) {
  return read_all(TomlTable::from_file(path), path, vocabulary, only);
}

Scenario read_scenario(const std::string& path, const Vocabulary& vocabulary) {
  return read_all(TomlTable::from_file(path), path, vocabulary, "").front();
}

Scenario read_scenario_text(const std::string& text, const std::string& path, const Vocabulary& vocabulary) {
  return read_all(TomlTable::from_text(text, path), path, vocabulary, "").front();
}

std::set<std::string> expected_breaks(const Scenario& scenario, const std::string& profile,
                                      const std::string& backend) {
  std::set<std::string> breaks;
  for (const Expectation& each : scenario.expectations) {
    if (fits(each.variants, scenario.variant) && fits(each.profiles, profile) && fits(each.backends, backend)) {
      breaks.insert(each.breaks.begin(), each.breaks.end());
    }
  }
  return breaks;
}

}  // namespace forkproof::scenario
