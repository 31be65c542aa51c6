#pragma once
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/vocabulary.h"

namespace forkproof::scenario {

/// A real supervisor by name: how it is had, and how it is started. A value; read from `scenarios/targets/NAME.toml`.
struct Target {
  std::string name;
  std::string about;
  std::string package;             ///< Debian's, or whoever has it
  std::string install;             ///< the line that installs it
  std::vector<std::string> needs;  ///< programs that must be on the PATH; the first of `start` where nothing is said
  Command command;

  /// What it is known not to keep, and why.
  struct Truth {
    std::vector<std::string> scenarios;  ///< "term-supervisor", or with "/VARIANT"
    std::set<std::string> breaks;
    bool not_asked = false;              ///< the question makes no sense for it
    std::string because;
  };
  std::vector<Truth> truths;
};

/// Reads one by its name; BadInput with the nearest name when there is none, and with file, line and column for anything
/// in it that is not understood; its scenarios are those one folder above.
Target read_target(const std::string& directory, const std::string& name, const Vocabulary& vocabulary);

/// Why it cannot be asked here, with the line that installs it; empty when it can.
std::string missing_for(const Target& target);

/// Why this scenario ("NAME" or "NAME/VARIANT") is not asked of it; empty when it is.
std::string why_not_asked(const Target& target, const std::string& scenario);

/// The promises that it is known to break in a scenario ("NAME" or "NAME/VARIANT"). Of several fitting truths all count.
std::set<std::string> known_breaks(const Target& target, const std::string& scenario);

/// Whether a command line's first word is a program: a path to one, or found on the PATH.
bool is_program(const std::string& word);

}  // namespace forkproof::scenario
