#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/plan.h"
#include "harness/run/runner.h"

namespace forkproof {

/// The options of the verbs that run cells (`repro SCENARIO`, `repro matrix`), as they were written.
struct Options {
  std::vector<std::string> scenarios;
  std::vector<std::string> profiles, backends;
  std::vector<std::string> knobs;  ///< KNOB=VALUE[,VALUE ...]
  run::RunOptions run;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> schedule;
  double time_scale = 0;  ///< 0: the profile's own
  std::string format = "text";
  std::string output;
  std::vector<std::string> also;  ///< FORMAT=FILE
  std::string arena;
  std::string shard;              ///< I/N; empty: all
  bool verbose = false;
};

/// Declares them, all but the scenarios, whose number is the verb's own matter.
void describe(CLI::App& app, Options& options);

/// What the options choose of a scenario. BadInput for names that do not exist.
run::Choice choice_of(const Options& options);

/// The cells of what one word of the command line names: a scenario, a variant of one, or a file.
std::vector<run::Cell> cells_of(const std::string& asked, const run::Choice& choice);

/// Cell number `I` of each `N`, counted from 1: a pure function of the list, so that machines that share the work need
/// not talk. BadInput when it is no I/N, or when nothing would be left.
std::vector<run::Cell> shard_of(std::vector<run::Cell> cells, const std::string& shard);

/// Runs the cells as the options say, with a progress line; writes the reports; gives the exit status. BadInput, before
/// anything is run, for what cannot be understood or written.
int run_and_report(const Options& options, std::vector<run::Cell> cells, bool matrix);

}  // namespace forkproof
