#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/vocabulary.h"

namespace forkproof::scenario {

/// What is expected of some cells: these promises break, and all others hold.
struct Expectation {
  std::vector<std::string> variants;  ///< empty: all
  std::vector<std::string> profiles;  ///< empty: all
  std::vector<std::string> backends;  ///< empty: all
  std::set<std::string> breaks;
};

/// A saved question. A value; read from `scenarios/NAME.toml`.
struct Scenario {
  std::string name;
  std::string variant;  ///< of a file with [[variant]] tables: which one; else empty
  std::string path;
  std::string question;
  std::string source;
  TaskNode tree;
  TaskNode command_tree;  ///< the tree where a command is asked: a node that asks for nothing inherits its signals
  std::vector<FaultSpec> faults;
  std::vector<HoldRule> holds;
  bool server = true;
  std::string schedule;               ///< who goes first where several wait (core/schedule.h)
  bool in_matrix = true;              ///< part of the CI job where no scenario is named
  bool for_commands = false;          ///< `subject = "command"`: no model supervisor is asked this
  std::map<std::string, std::string> knobs;  ///< laid over every profile; "workers" too
  std::vector<std::string> profiles;  ///< names, in the order of the file
  std::vector<std::string> backends;
  std::vector<Expectation> expectations;
  Nanos patience{};                   ///< real time, scaled by the profile: watched on after the bound
  Nanos teardown{std::chrono::seconds(10)};  ///< real time: how long a command's teardown may take
  Nanos settle{};                     ///< of a command, real time: how long its arena has to be at rest before a fault strikes
  std::optional<Nanos> startup;       ///< real time, not scaled: until a teardown must have been asked for
  std::optional<std::uint64_t> seed;  ///< of its cases, where the command line names none
};

/// The names of a file's [[variant]]s. BadInput as for all of it.
std::vector<std::string> variants_in(const std::string& path);
/// Reads a file's scenarios: one, or one for each [[variant]], whose table is laid over the rest. `only` picks one
/// variant; BadInput when there is none of that name, and for anything in the file that is not understood.
std::vector<Scenario> read_scenarios(const std::string& path, const Vocabulary& vocabulary,
                                     const std::string& only = "");
/// The first of them; BadInput with file, line and column for anything it does not understand.
Scenario read_scenario(const std::string& path, const Vocabulary& vocabulary);
Scenario read_scenario_text(const std::string& text, const std::string& path, const Vocabulary& vocabulary);

/// The promises that this cell is expected to break. Of several fitting [[expect]] tables all count.
std::set<std::string> expected_breaks(const Scenario& scenario, const std::string& profile,
                                      const std::string& backend);

}  // namespace forkproof::scenario
