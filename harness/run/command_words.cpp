#include "harness/run/command_words.h"

#include <algorithm>

#include "harness/core/shell_word.h"

namespace forkproof::run {
namespace {

constexpr char task_word[] = "{task}";
constexpr char task_variable[] = "REPRO_TASK";

void replace_all(std::string* text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += by.size()) text->replace(at, what.size(), by);
}

}  // namespace

std::string filled(const std::string& text, const Places& places) {
  std::string all = text;
  replace_all(&all, task_word, shell_line(places.task));
  replace_all(&all, "{dir}", places.directory);
  replace_all(&all, "{heartbeat}", places.heartbeat);
  return all;
}

bool mentions(const Command& command, const std::string& placeholder) {
  const auto has = [&placeholder](const std::string& text) { return text.find(placeholder) != std::string::npos; };
  return std::any_of(command.argv.begin(), command.argv.end(), has) ||
         std::any_of(command.files.begin(), command.files.end(),
                     [&has](const CommandFile& file) { return has(file.path) || has(file.text); }) ||
         std::any_of(command.environment.begin(), command.environment.end(),
                     [&has](const auto& variable) { return has(variable.second); });
}

std::vector<std::string> filled_words(const Command& command, const Places& places) {
  std::vector<std::string> words;
  for (const std::string& word : command.argv) {
    if (word == task_word) words.insert(words.end(), places.task.begin(), places.task.end());
    else words.push_back(filled(word, places));
  }
  if (!mentions(command, task_word) && !mentions(command, task_variable)) {
    words.insert(words.end(), places.task.begin(), places.task.end());
  }
  return words;
}

}  // namespace forkproof::run
