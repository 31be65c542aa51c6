#include "harness/run/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "fixtures/dns_server/server.h"
#include "fixtures/heartbeat_server/server.h"
#include "harness/arena/arena.h"
#include "harness/arena/control_socket.h"
#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/oracles/oracle.h"
#include "harness/run/player.h"
#include "harness/run/tally.h"

namespace forkproof::run {
namespace {

namespace fs = std::filesystem;

constexpr int history_failed = 74;

/// One run that is under way.
struct ActiveRun {
  std::size_t cell = 0;
  std::uint64_t run = 0;
  Nanos began{};
  Fd history;
  std::string history_path;  ///< where it is kept, or empty
  std::vector<std::unique_ptr<faults::Fault>> faults;
  std::unique_ptr<arena::Arena> arena;
};

class Runner {
 public:
  Runner(const std::vector<Cell>& cells, const RunOptions& options, const arena::Provision& provision,
         const std::function<void(const Progress&)>& show)
      : cells_(cells), options_(options), provision_(provision), show_(show), task_program_(task_program()) {}

  RunSummary run();

 private:
  void prepare_summary();
  bool can_be_asked(const Case& one, CellSummary& cell) const;
  void start_next();
  void open_history(ActiveRun& active);
  void finish(ActiveRun& active);
  void wait_for_something();

  const std::vector<Cell>& cells_;
  const RunOptions& options_;
  const arena::Provision& provision_;
  const std::function<void(const Progress&)>& show_;
  std::string task_program_;
  RunSummary summary_;
  Progress progress_;
  std::vector<std::unique_ptr<ActiveRun>> active_;
  std::vector<std::size_t> asked_;  // those cells that can be run here
  std::uint64_t next_ = 0;
  Fd signals_;
};

/// Ctrl-C and its kin as a descriptor while runs are open; as it was before afterwards.
class InterruptsHeld {
 public:
  InterruptsHeld() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) fail("signalfd");
  }
  ~InterruptsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  InterruptsHeld(const InterruptsHeld&) = delete;
  InterruptsHeld& operator=(const InterruptsHeld&) = delete;
  Fd fd;

 private:
  sigset_t before_;
};

std::vector<std::unique_ptr<faults::Fault>> make_faults(const Case& one) {
  std::vector<std::unique_ptr<faults::Fault>> made;
  for (const FaultSpec& spec : one.faults) {
    const faults::FaultRow* row = faults::find_fault(spec.fault);
    if (row == nullptr) throw BadInput("no fault '" + spec.fault + "'");
    made.push_back(row->make(spec));
  }
  return made;
}

/// After this a keeper ends its arena whatever its warden does.
Nanos longest_life(const Case& one) {
  return one.bounds.startup + one.bounds.teardown + one.bounds.patience + std::chrono::seconds(60);
}

/// Whether this arena has what the case's faults need on their stage; if not, the cell says why it was not run.
bool Runner::can_be_asked(const Case& one, CellSummary& cell) const {
  faults::Stage stage;
  for (const auto& fault : make_faults(one)) {
    fault->set_stage(stage);
    if (const std::string missing = fault->missing(); !missing.empty()) {
      cell.outcome = CellOutcome::skipped;
      cell.note = "skipped: " + missing;
      return false;
    }
  }
  if (provision_.tier != arena::Tier::subreaper || (stage.overlays.empty() && !stage.name_server)) return true;
  cell.outcome = CellOutcome::unknown;
  cell.note = "it was not run: a fault needs files and a name server of its own, and the subreaper tier has neither "
              "a mount nor a network namespace";
  return false;
}

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
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (can_be_asked(cells_[i].one, summary_.cells[i])) asked_.push_back(i);
  }
  progress_.total = asked_.size() * options_.runs;
}

void Runner::open_history(ActiveRun& active) {
  if (options_.keep.empty()) {
    active.history = anonymous_file("forkproof-history");
    return;
  }
  const Case& one = cells_[active.cell].one;
  const fs::path directory = fs::path(options_.keep) / one.scenario / (one.profile_name() + "-" + one.backend_name()) /
                             fmt::format("run-{}", active.run + 1);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw BadInput("--keep " + directory.string() + ": " + error.message());
  active.history_path = (directory / "history.jsonl").string();
  active.history.reset(::open(active.history_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!active.history) throw BadInput(error_text("--keep " + active.history_path));
}

/// How a task stands to SIGINT begins with who starts it: a real shell, or itself under another mask or disposition.
void start_by_sigint_setup(Part& part, const std::string& tiny) {
  const SigintSetup setup = part.one.tree.sigint;
  if (setup == SigintSetup::none) return;
  if (setup == SigintSetup::sh_background || setup == SigintSetup::bash_job_control) {
    // dash turns job control off where there is no terminal, so that one takes bash.
    const bool plain = setup == SigintSetup::sh_background;
    part.task_program = plain ? "/bin/sh" : "/bin/bash";
    part.task_argv = {plain ? "sh" : "bash", "-c", plain ? "\"$0\" \"$@\" & wait" : "set -m; \"$0\" \"$@\" & wait",
                      tiny, part.control.name};
    return;
  }
  part.task_argv = {"forkproof-task", "--sigint", std::string(word(setup)), part.control.name};
}

/// The tiny static program, unless a fault acts inside the subject: then the task needs the same image as a forked child
/// would have, so it is this program again (`repro play-task`).
void choose_task(Part& part, const std::string& tiny) {
  part.task_program = tiny;
  part.task_argv = {"forkproof-task", part.control.name};
  start_by_sigint_setup(part, tiny);
  for (std::size_t i = 0; i < part.one.faults.size(); ++i) {
    const FaultSpec& spec = part.one.faults[i];
    if (!faults::find_fault(spec.fault)->in_subject) continue;
    part.in_subject = part.faults[i].get();
    part.in_subject_key = spec.fault;
    part.task_program = "/proc/self/exe";
    part.task_argv = {"repro", "play-task", part.control.name, spec.fault};
    for (const auto& [key, value] : spec.settings) {
      part.task_argv.push_back(key + "=" + std::visit([](const auto& plain) { return fmt::format("{}", plain); }, value));
    }
  }
}

/// In the keeper. A server's socket is there before anybody can ask.
std::vector<pid_t> start_servers(Part& part) {
  std::vector<pid_t> servers;
  if (part.stage.server.wanted) {
    const fixtures::Listener listener = fixtures::listen_on_loopback();
    part.server_port = listener.port;
    servers.push_back(arena::fork_bound([&]() -> int { fixtures::serve(listener, part.stage.server, part.control); }));
  }
  if (part.stage.name_server) {
    const Fd socket = fixtures::listen_for_names();
    servers.push_back(arena::fork_bound([&]() -> int { fixtures::hear_names(socket, part.control); }));
  }
  return servers;
}

void Runner::start_next() {
  auto active = std::make_unique<ActiveRun>();
  active->cell = asked_[next_ / options_.runs], active->run = next_ % options_.runs;
  ++next_;
  const Case& one = cells_[active->cell].one;
  open_history(*active);
  active->faults = make_faults(one);
  active->began = monotonic_now();
  HistoryWriter opening(active->history.get(), active->began);
  opening.append(CaseOpened{to_document(one)});
  if (opening.failure() != 0) {
    throw BadInput(error_text("the history " + active->history_path, opening.failure()));
  }
  Part part{.one = one,
            .tier = provision_.tier,
            .cgroup = summary_.cgroup,
            .refusals = provision_.refusals,
            .history = active->history.get(),
            .origin = active->began,
            .control = arena::fresh_control_address(),
            .faults = active->faults};
  choose_task(part, task_program_);
  part.stage.server.wanted = one.server;
  for (const auto& fault : active->faults) fault->set_stage(part.stage);
  arena::Contents contents;
  // Both run in forked processes, so what the first learns (the port) the second, forked after it, knows too.
  contents.outside = [&part] { return start_servers(part); };
  contents.inside = [&part] { return play(part); };
  contents.at_most = longest_life(one);
  active->arena = std::make_unique<arena::Arena>(provision_, contents);
  active_.push_back(std::move(active));
}

void Runner::finish(ActiveRun& active) {
  const int code = active.arena->finish();
  if (code == history_failed) throw BadInput("the history " + active.history_path + " cannot be written: is the disk full?");
  CellSummary& cell = summary_.cells[active.cell];
  cell.wall += monotonic_now() - active.began;
  if (summary_.interrupted) return;  // cut off by us, so no run at all
  History history = read_history(active.history);
  auto verdicts = oracles::judge(history);
  if (compare(verdicts, cell.expected) != CellOutcome::as_expected) ++progress_.not_as_expected;
  tally(cell, active.run, std::move(history), std::move(verdicts));
  if (!options_.exhibit_what_is_expected && cell.outcome == CellOutcome::as_expected) cell.exhibit.reset();
  ++progress_.done;
  progress_.cell = &cells_[active.cell];
  if (show_) show_(progress_);
}

void Runner::wait_for_something() {
  std::vector<pollfd> watched{{signals_.get(), POLLIN, 0}};
  for (const auto& each : active_) watched.push_back({each->arena->pidfd(), POLLIN, 0});
  if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) fail("poll");
  if (watched[0].revents != 0 && !std::exchange(summary_.interrupted, true)) {
    for (const auto& each : active_) each->arena->end();
  }
  std::vector<std::unique_ptr<ActiveRun>> still;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (watched[i + 1].revents != 0) finish(*active_[i]);
    else still.push_back(std::move(active_[i]));
  }
  active_ = std::move(still);
}

RunSummary Runner::run() {
  InterruptsHeld interrupts;
  signals_ = std::move(interrupts.fd);
  prepare_summary();
  const Nanos began = monotonic_now();
  while (next_ < progress_.total || !active_.empty()) {
    while (!summary_.interrupted && next_ < progress_.total && active_.size() < options_.jobs) start_next();
    if (summary_.interrupted && active_.empty()) break;
    wait_for_something();
  }
  // What a killed keeper has left to us, its subreaper. Only now: before, the other keepers are our children as well.
  if (provision_.tier == arena::Tier::subreaper) arena::kill_descendants();
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

std::string task_program() {
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& place : {beside / "forkproof-task", beside / "../libexec/forkproof/forkproof-task"}) {
    if (::access(place.c_str(), X_OK) == 0) return place.string();
  }
  throw HarnessFailure("forkproof-task is not beside " + (beside / "repro").string());
}

std::uint64_t descriptors_needed(const std::vector<Cell>& cells) {
  constexpr std::uint64_t own = 64;
  std::uint64_t most = 0;
  for (const Cell& cell : cells) most = std::max<std::uint64_t>(most, count_nodes(cell.one.tree));
  return most + own;
}

}  // namespace forkproof::run
