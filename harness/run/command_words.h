#pragma once
#include <string>
#include <vector>

#include "harness/core/case.h"

namespace forkproof::run {

/// What the placeholders in a command's words, files and environment stand for.
struct Places {
  std::vector<std::string> task;  ///< {task}: the command that runs the task tree
  std::string directory;          ///< {dir}
  std::string heartbeat;          ///< {heartbeat}: the heartbeat server's address; empty where there is none
};

/// The text with its placeholders filled; {task} as one shell line.
std::string filled(const std::string& text, const Places& places);

/// The words that are executed. A word that is just "{task}" becomes the task's words; inside a longer word it becomes
/// the task as a shell line. Where neither a word nor a file of the command names the task, it is appended.
std::vector<std::string> filled_words(const Command& command, const Places& places);

/// Whether any word, file or variable of the command has this placeholder in it.
bool mentions(const Command& command, const std::string& placeholder);

}  // namespace forkproof::run
