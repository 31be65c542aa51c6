#include "harness/run/runner.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/oracles/oracle.h"
#include "harness/run/player.h"
#include "harness/run/run_pool.h"
#include "harness/run/subject.h"
#include "harness/run/tally.h"

namespace forkproof::run {
namespace {

namespace fs = std::filesystem;

class Runner {
 public:
  Runner(const std::vector<Cell>& cells, const RunOptions& options, const arena::Provision& provision,
         const std::function<void(const Progress&)>& show)
      : cells_(cells), options_(options), provision_(provision), show_(show), pool_(provision, options.jobs, options.observe) {}

  RunSummary run();

 private:
  void prepare_summary();
  void start_next();
  std::string kept_at(const Case& one, std::uint64_t run) const;
  void take(FinishedRun finished);

  const std::vector<Cell>& cells_;
  const RunOptions& options_;
  const arena::Provision& provision_;
  const std::function<void(const Progress&)>& show_;
  RunPool pool_;
  RunSummary summary_;
  Progress progress_;
  std::vector<std::size_t> asked_;  // those cells that can be run here
  std::uint64_t next_ = 0;
};

void Runner::prepare_summary() {
  summary_.arena = name(provision_.tier);
  summary_.arena_cost = cost(provision_.tier);
  summary_.refusals = provision_.refusals;
  summary_.cgroup = !provision_.cgroup_parent.empty();
  summary_.runs_per_cell = options_.runs;
  for (const auto& row : oracles::oracles()) summary_.oracles.emplace_back(row.key);
  for (const Cell& cell : cells_) {
    CellSummary& entry = summary_.cells.emplace_back();
    entry.one = cell.one, entry.asked = cell.asked, entry.expected = cell.expected, entry.runs_wanted = options_.runs;
    entry.place = cell.place;
    if (!cell.missing.empty()) entry.outcome = CellOutcome::skipped, entry.note = "skipped: " + cell.missing;
    else if (const auto obstacle = obstacle_to(cell.one, provision_)) entry.outcome = obstacle->outcome, entry.note = obstacle->note;
    else asked_.push_back(summary_.cells.size() - 1);
  }
  progress_.total = asked_.size() * options_.runs;
}

std::string subject_folder(const Case& one) {
  const auto* command = std::get_if<Command>(&one.subject);
  if (command == nullptr) return one.profile_name() + "-" + one.backend_name();
  return command->target.empty() ? "command" : command->target;
}

/// The history file of one run, when histories are kept.
std::string Runner::kept_at(const Case& one, std::uint64_t run) const {
  if (options_.keep.empty()) return "";
  return (fs::path(options_.keep) / one.scenario / subject_folder(one) /
          fmt::format("run-{}", run + 1) / "history.jsonl").string();
}

void Runner::start_next() {
  const Case& one = cells_[asked_[next_ / options_.runs]].one;
  pool_.start(one, next_, kept_at(one, next_ % options_.runs));
  ++next_;
}

void Runner::take(FinishedRun finished) {
  const std::size_t index = asked_[finished.tag / options_.runs];
  CellSummary& cell = summary_.cells[index];
  cell.wall += finished.wall;
  if (compare(finished.verdicts, cell.expected) != CellOutcome::as_expected) ++progress_.not_as_expected;
  tally(cell, finished.tag % options_.runs, std::move(finished.history), std::move(finished.verdicts));
  if (!options_.exhibit_what_is_expected && cell.outcome == CellOutcome::as_expected) cell.exhibit.reset();
  ++progress_.done;
  progress_.cell = &cells_[index];
  if (show_) show_(progress_);
}

RunSummary Runner::run() {
  const Nanos began = monotonic_now();
  prepare_summary();
  while (next_ < progress_.total || !pool_.idle()) {
    while (!pool_.interrupted() && next_ < progress_.total && !pool_.full()) start_next();
    if (pool_.interrupted() && pool_.idle()) break;
    for (FinishedRun& finished : pool_.wait()) take(std::move(finished));
  }
  summary_.interrupted = pool_.interrupted();
  for (CellSummary& cell : summary_.cells) {
    if (cell.runs == 0 && cell.note.empty()) cell.outcome = CellOutcome::unknown, cell.note = "it was not run: interrupted";
  }
  summary_.wall = monotonic_now() - began;
  return std::move(summary_);
}

}  // namespace

RunSummary run_all(const std::vector<Cell>& cells, const RunOptions& options, const arena::Provision& provision,
                   const std::function<void(const Progress&)>& show) {
  return Runner(cells, options, provision, show).run();
}

std::uint64_t descriptors_needed(const std::vector<Cell>& cells) {
  constexpr std::uint64_t own = 64;
  std::uint64_t most = 0;
  for (const Cell& cell : cells) {
    // What a command may start beyond its tree is PID 1's affair, which raises its own limit and not the command's.
    most = std::max<std::uint64_t>(most, count_nodes(cell.one.tree));
  }
  return most + own;
}

}  // namespace forkproof::run
