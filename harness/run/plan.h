#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/vocabulary.h"
#include "harness/scenario/scenario.h"

namespace forkproof::run {

/// The words of all tables: what a scenario may say.
Vocabulary vocabulary();

/// What a command line narrows or changes.
struct Choice {
  std::vector<std::string> profiles;  ///< empty: those of the scenario
  std::vector<std::string> backends;  ///< empty: those of the scenario
  std::optional<double> time_scale;
  std::optional<std::uint64_t> seed;  ///< empty: the scenario's own, or 1
  std::optional<std::string> schedule;  ///< instead of the scenario's
  std::vector<std::string> shares;  ///< a command's: what of /tmp and its kin is the machine's
  bool only_own = false;  ///< what a scenario does not name itself is left out of it, not added to it
};

/// BadInput for a profile or backend of this choice that does not exist, with the nearest name.
void check_names(const Choice& choice);

/// One cell of the cross: a complete case and the promises that it is expected to break.
struct Cell {
  Case one;
  std::set<std::string> expected;
  std::string asked;  ///< the scenario as the command line names it
  std::string missing;  ///< what this machine lacks for it, and how to get it; empty: nothing
  std::uint64_t place = 0;  ///< among all cells of the command line, before any sharing out; from 0
};

/// One cell's case: the scenario under this profile, its knobs laid over it, spawning through this backend.
Case make_case(const scenario::Scenario& scenario, Profile profile, const std::string& backend, std::uint64_t seed);

/// Crosses a scenario with its profiles and backends. BadInput for a profile or backend that does not exist. One that
/// exists but is not in the scenario may be asked for, unless the choice is `only_own`; it is expected to hold
/// everything.
std::vector<Cell> cross(const scenario::Scenario& scenario, const Choice& choice);

/// The one cell of a command under a scenario: what is not in `breaks` must hold. BadInput when a fault acts inside the
/// model supervisor and cannot be asked of a command.
Cell cell_of(const scenario::Scenario& scenario, const Command& command, const Choice& choice, std::set<std::string> breaks = {});

/// BadInput when what a command begins with is no program that can be run.
void check_program(const std::string& program);

/// Slack on top of what a profile declares: for scheduling, forks and the servers' turns. Real time, never scaled.
inline constexpr Nanos teardown_slack = std::chrono::milliseconds(250);

}  // namespace forkproof::run
