#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/plan.h"
#include "harness/run/runner.h"
#include "repro/reporting.h"

namespace forkproof {

/// The options of the verbs that run cells (`repro SCENARIO`, `repro matrix`), as they were written.
struct Options {
  std::vector<std::string> scenarios;
  std::vector<std::string> profiles, backends;
  std::vector<std::string> knobs;  ///< KNOB=VALUE[,VALUE ...]
  std::vector<std::string> shares;  ///< paths of /tmp and its kin that a command is to have from the machine
  run::RunOptions run;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> schedule;
  double time_scale = 0;  ///< 0: the profile's own
  Reporting reporting;
  std::string arena;
  std::string shard;              ///< I/N; empty: what the environment says
  bool verbose = false;
};

/// Declares them, all but the scenarios, whose number is the verb's own matter.
void describe(CLI::App& app, Options& options);

/// What the options choose of a scenario. BadInput for names that do not exist.
run::Choice choice_of(const Options& options);

/// The cells of what one word of the command line names: a scenario, a variant of one, or a file. BadInput for a question
/// that only a command can be asked.
std::vector<run::Cell> cells_of(const std::string& asked, const run::Choice& choice);

/// BadInput where two cells have the same name: their histories would be one file, and a table would show one of them.
void refuse_doubles(const std::vector<run::Cell>& cells);

/// Says on standard error what share of the work was taken from the environment, if any was; and, where it was
/// GoogleTest's, tells that in GTEST_SHARD_STATUS_FILE as its protocol wants.
void announce(const Shard& shard);

/// Runs the cells as the options say, with a progress line; writes the reports; gives the exit status. BadInput, before
/// anything is run, for what cannot be understood or written.
int run_and_report(const Options& options, std::vector<run::Cell> cells, bool matrix);

}  // namespace forkproof
