#include "harness/scenario/target_file.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "harness/core/error.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/toml_reader.h"

namespace forkproof::scenario {
namespace {

namespace fs = std::filesystem;

/// `before`: the files above it, none of which it may lie below, nor be.
CommandFile read_file(TomlTable table, const std::vector<CommandFile>& before) {
  CommandFile file{table.text("path"), table.text("text"), table.flag("executable", false)};
  table.finish("target.file");
  if (!file.path.starts_with("{dir}/") || file.path.find("..") != std::string::npos) {
    table.refuse("path", "'" + file.path + "' is not below {dir}, the only place that the arena gives");
  }
  file.path = fs::path(file.path).lexically_normal();
  if (file.path.ends_with('/')) table.refuse("path", "'" + file.path + "' names a folder: a file's own name is wanted at its end");
  for (const CommandFile& other : before) {
    const bool same = file.path == other.path;
    if (same) table.refuse("path", "'" + file.path + "' is there twice");
    const bool below = file.path.starts_with(other.path + "/"), above = other.path.starts_with(file.path + "/");
    if (below || above) table.refuse("path", "'" + (below ? other.path : file.path) + "' is a file: nothing can lie below it");
  }
  return file;
}

/// What can be asked: each scenario of the library, and each of its variants. Reads what is named, each file once.
class Questions {
 public:
  explicit Questions(std::string directory) : directory_(std::move(directory)), names_(names_in(directory_)) {}

  /// BadInput, at the key's line, for a word that no question answers to: what stands behind it would never apply.
  void check(const TomlTable& table, const std::string& key, const std::string& word) {
    const std::string name = word.substr(0, word.find('/'));
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) table.refuse_word(key, word, names_);
    if (name == word) return;
    const auto [known, is_new] = variants_.try_emplace(name);
    if (is_new) {
      for (const std::string& variant : variants_in(directory_ + "/" + name + ".toml")) known->second.push_back(name + "/" + variant);
    }
    if (std::find(known->second.begin(), known->second.end(), word) == known->second.end()) table.refuse_word(key, word, known->second);
  }

 private:
  std::string directory_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<std::string>> variants_;
};

Target::Truth read_truth(TomlTable table, const Vocabulary& vocabulary, Questions& questions) {
  Target::Truth truth;
  truth.scenarios = table.words("scenario");
  if (truth.scenarios.empty()) table.refuse(table.has("scenario") ? "scenario" : "", "'scenario' names none: it would never apply");
  for (const std::string& word : truth.scenarios) questions.check(table, "scenario", word);
  truth.not_asked = table.flag("not_asked", false);
  const std::vector<std::string> breaks = truth.not_asked ? std::vector<std::string>{} : table.words("breaks");
  truth.because = table.text("because");
  table.finish("target.expect");
  for (const std::string& oracle : breaks) {
    if (std::find(vocabulary.oracles.begin(), vocabulary.oracles.end(), oracle) != vocabulary.oracles.end()) continue;
    table.refuse_word("breaks", oracle, vocabulary.oracles);
  }
  truth.breaks.insert(breaks.begin(), breaks.end());
  return truth;
}

std::string path_of(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name + ".toml";
  if (name.find('/') == std::string::npos && is_file(path)) return path;
  const std::string near = nearest(name, names_in(directory));
  throw BadInput("no target '" + name + "' in " + directory +
                 (near.empty() ? "; `repro list targets` shows them" : " (did you mean '" + near + "'?)"));
}

bool is_executable_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Target read_target(const std::string& directory, const std::string& name, const Vocabulary& vocabulary) {
  TomlTable table = TomlTable::from_file(path_of(directory, name));
  Target target;
  target.name = name;
  target.about = table.text("about");
  target.package = table.text("package");
  target.install = table.text("install", "apt-get install " + target.package);
  target.command.target = name;
  target.command.argv = table.words("start");
  if (target.command.argv.empty()) table.refuse("", "'start' is missing: the command, with {task} in it");
  target.needs = table.words("needs");
  if (target.needs.empty()) target.needs = {target.command.argv.front()};
  target.command.passes_exit_status = table.flag("passes_exit_status", false);
  if (auto environment = table.table("environment")) {
    for (const std::string& key : environment->keys()) {
      if (key.empty() || key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) environment->refuse("", "a variable has a name without '=' and NUL");
      target.command.environment[key] = environment->text(key);
    }
    environment->finish();
  }
  for (TomlTable& each : table.tables("file")) target.command.files.push_back(read_file(each, target.command.files));
  Questions questions(directory + "/..");
  for (TomlTable& each : table.tables("expect")) target.truths.push_back(read_truth(each, vocabulary, questions));
  table.finish("target");
  return target;
}

bool is_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return is_executable_file(word);
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/bin:/usr/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (is_executable_file(fs::path(directory.empty() ? "." : directory) / word)) return true;
  }
  return false;
}

std::string missing_for(const Target& target) {
  for (const std::string& program : target.needs) {
    if (!is_program(program)) return program + " is not installed here: " + target.install;
  }
  return {};
}

namespace {

bool fits(const Target::Truth& truth, const std::string& scenario) {
  const std::string whole = scenario.substr(0, scenario.find('/'));
  return std::any_of(truth.scenarios.begin(), truth.scenarios.end(),
                     [&](const std::string& each) { return each == scenario || each == whole; });
}

}  // namespace

std::string why_not_asked(const Target& target, const std::string& scenario) {
  for (const Target::Truth& truth : target.truths) {
    if (truth.not_asked && fits(truth, scenario)) return truth.because;
  }
  return {};
}

std::set<std::string> known_breaks(const Target& target, const std::string& scenario) {
  std::set<std::string> breaks;
  for (const Target::Truth& truth : target.truths) {
    if (fits(truth, scenario)) breaks.insert(truth.breaks.begin(), truth.breaks.end());
  }
  return breaks;
}

}  // namespace forkproof::scenario
