#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/history.h"
#include "harness/core/verdict.h"
#include "harness/core/wait_status.h"

namespace forkproof {

/// How a cell came out against what was expected of it. In the order of badness.
enum class CellOutcome { as_expected, skipped, unknown, not_as_expected };
std::string_view name(CellOutcome outcome);

/// One promise over the runs of a cell: the worst verdict, and in how many runs it was broken.
struct OracleTally {
  Verdict worst;
  std::uint64_t broken_runs = 0;
  std::uint64_t unknown_runs = 0;
};

/// How one run ended, as the kernel has it: what a league table compares.
struct Ending {
  std::optional<std::uint64_t> left;  ///< processes that lived on when the subject had ended, or at the deadline; none: no census
  std::optional<Nanos> took;          ///< from the event that asked for the teardown to the subject's end; none: it never ended
  std::optional<WaitStatus> status;   ///< the subject's own, where it ended and that could be told
};
/// Of a cell with many runs, only the first so many endings are kept.
inline constexpr std::size_t most_endings = 100;

/// One run that is worth telling, with its verdicts.
struct Exhibit {
  std::uint64_t run = 0;
  History history;
  std::map<std::string, Verdict> verdicts;
};

/// One cell of the cross after its runs: profile and backend of one scenario, or a command.
struct CellSummary {
  Case one;
  std::string asked;               ///< the scenario as a command line names it, or a whole command ("repro fuzz ..."); empty: by the case's own name
  std::set<std::string> expected;  ///< promises that are expected to break
  std::uint64_t runs_wanted = 0;
  std::uint64_t runs = 0;
  std::uint64_t unexpected_runs = 0;  ///< runs that differ from what was expected, or could not be told
  std::uint64_t unknown_runs = 0;     ///< those of them that could not be told
  std::uint64_t place = 0;            ///< among the cells of the whole plan, from 0
  CellOutcome outcome = CellOutcome::skipped;
  std::string note;                   ///< why it was skipped or cannot be told
  std::map<std::string, OracleTally> oracles;
  Nanos wall{};                       ///< all runs together
  std::vector<Ending> endings;        ///< of its first runs
  std::optional<Exhibit> exhibit;     ///< the first run that differed, else the first with a break
};

/// A part of work that several machines share. Part `index` of `count` has whatever stands at `index` - 1, and then at
/// every `count`-th place: a pure function of these two, so that nobody needs to talk.
struct Shard {
  std::uint64_t index = 1, count = 1;
  std::string from;  ///< who said so: "--shard", a variable of an engine; empty: nobody, so it is all of it

  [[nodiscard]] bool has(std::uint64_t place) const { return place % count == index - 1; }
  friend bool operator==(const Shard&, const Shard&) = default;
};

/// What all shards of one command line share.
struct Plan {
  std::string id;           ///< equal where, and only where, the cells and the number of runs are
  std::uint64_t cells = 0;  ///< of all shards together
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// All that a report can tell. A value, complete or cut off.
struct RunSummary {
  bool matrix = false;               ///< many questions (the CI job), not one: nobody wants a story of what is as expected
  std::string arena;                 ///< the tier in force
  std::string arena_cost;            ///< what it loses, empty when nothing
  std::vector<std::string> refusals;
  bool cgroup = false;
  std::vector<std::string> oracles;  ///< in the order of oracles.def
  std::vector<CellSummary> cells;
  bool interrupted = false;
  Nanos wall{};
  std::uint64_t runs_per_cell = 1;
  std::optional<double> time_scale;  ///< where it was asked for on the command line
  std::optional<std::string> schedule;  ///< likewise
  std::optional<std::string> arena_asked;  ///< likewise: where on the ladder to begin
  std::optional<std::string> observe;      ///< likewise: how a command's processes are seen
  std::string run;                   ///< a name for this very run, unlike any other's; empty for what was merged
  Plan plan;
  Shard shard;
  std::vector<RunSummary> parts;     ///< of what was merged: the runs, each once, by `run`
  std::vector<std::string> gaps;     ///< of what was merged: what is missing, or contradicts itself; any makes it unknown
};

/// The worst cell's outcome; as_expected when there are none.
CellOutcome worst_outcome(const RunSummary& summary);

/// One output format.
using Report = void (*)(const RunSummary& summary, std::ostream& out);

}  // namespace forkproof
