#pragma once
#include <optional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/run/plan.h"
#include "repro/options.h"

namespace forkproof {

/// What a command line asks about instead of the model supervisor.
struct AskedCommand {
  std::optional<Command> command;    ///< behind `--`
  std::vector<std::string> targets;  ///< by name
};

/// BadInput for what only a model supervisor has.
void refuse_what_is_the_models(const Options& options);

/// Each variant of the question, asked of the command or of each target. BadInput for a target that does not exist; one
/// that is not installed becomes a cell that is skipped.
std::vector<run::Cell> command_cells(const std::string& asked, const AskedCommand& subject, const run::Choice& choice);

}  // namespace forkproof
