#include "harness/run/run_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "fixtures/dns_server/server.h"
#include "fixtures/heartbeat_server/server.h"
#include "harness/arena/arena.h"
#include "harness/arena/control_socket.h"
#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/core/program_part.h"
#include "harness/core/write_all.h"
#include "harness/observe/outlook.h"
#include "harness/oracles/oracle.h"
#include "harness/run/command_words.h"
#include "harness/run/player.h"
#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

namespace fs = std::filesystem;

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

Fd open_history(const std::string& path) {
  if (path.empty()) return anonymous_file("forkproof-history");
  const fs::path directory = fs::path(path).parent_path();
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) refuse_place("--keep " + directory.string(), error.value());
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file) refuse_place("--keep " + path);
  return file;
}

/// `path`: where it is kept; empty: in memory, which `ulimit -f` bounds as well.
[[noreturn]] void refuse_history(const std::string& path) {
  throw HarnessFailure(fmt::format("the history {} cannot be written: {}is `ulimit -f` too small?", path.empty() ? "of a run" : path,
                             path.empty() ? "" : "is the disk full? "));
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
  part.task_program = part.tiny_program = tiny;
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
  if (!part.one.schedule.empty()) {  // the warden has no other sight of them, and they are not at rest when they work
    for (const pid_t server : servers) {
      part.servers.emplace_back(::open(fmt::format("/proc/{}", server).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!part.servers.back()) fail("a server's folder of /proc");
    }
  }
  return servers;
}

}  // namespace

/// One run that is under way.
struct RunPool::ActiveRun {
  Case one;
  std::uint64_t tag = 0;
  Nanos began{};
  Fd history;
  std::string history_path;  ///< where it is kept, or empty
  std::vector<std::unique_ptr<faults::Fault>> faults;
  std::unique_ptr<arena::Arena> arena;
};

InterruptsHeld::InterruptsHeld() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  fd.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) fail("signalfd");
}

InterruptsHeld::~InterruptsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

RunPool::RunPool(const arena::Provision& provision, unsigned jobs, std::string observe)
    : provision_(provision),
      jobs_(jobs),
      task_program_(run::task_program()),
      observe_(std::move(observe)),
      remover_(provision) {}

RunPool::~RunPool() {
  // What has ended the runs is answered; left pending, it would now end whoever is to tell what they found.
  signalfd_siginfo answered;
  while (interrupted_ && ::read(interrupts_.fd.get(), &answered, sizeof answered) > 0) {
  }
  active_.clear();
  // What a killed keeper has left to us, its subreaper. Only now: before, the other keepers are our children as well.
  if (provision_.tier == arena::Tier::subreaper) arena::kill_descendants();
}

void RunPool::start(Case one, std::uint64_t tag, const std::string& keep_path) {
  auto active = std::make_unique<ActiveRun>();
  active->one = std::move(one), active->tag = tag, active->history_path = keep_path;
  active->history = open_history(keep_path);
  active->faults = make_faults(active->one);
  active->began = monotonic_now();
  HistoryWriter opening(active->history.get(), active->began);
  opening.append(CaseOpened{to_document(active->one)});
  if (opening.failure() != 0) refuse_history(keep_path);
  Part part{.one = active->one,
            .tier = provision_.tier,
            .cgroup = !provision_.cgroup_parent.empty(),
            .refusals = provision_.refusals,
            .history = active->history.get(),
            .chain = opening.chain(),
            .origin = active->began,
            .control = arena::fresh_control_address(),
            .faults = active->faults};
  choose_task(part, task_program_);
  // The model supervisor's own words are enough, and cheaper.
  std::optional<observe::OutlookHeld> outlook;
  if (std::holds_alternative<Command>(active->one.subject) && observe_ != "none") {
    outlook.emplace();
    part.outlook = &outlook->outlook(), part.observe = observe_;
  }
  part.stage.server.wanted = active->one.server;
  part.stage.task_role = active->one.tree.role;
  const spawn::BackendRow* backend = spawn::find_backend(active->one.backend_name());
  part.stage.runs_on_at_birth = backend != nullptr && !backend->waits_for_exec;
  for (const auto& fault : active->faults) fault->set_stage(part.stage);
  arena::Contents contents;
  // Both run in forked processes, so what the first learns (the port) the second, forked after it, knows too.
  contents.outside = [&part] { return start_servers(part); };
  contents.inside = [&part] { return play(part); };
  contents.at_most = longest_life(active->one);
  active->arena = std::make_unique<arena::Arena>(provision_, contents);
  active_.push_back(std::move(active));
}

std::optional<FinishedRun> RunPool::finish(ActiveRun& active) {
  const int code = active.arena->finish();
  if (code == history_failed) refuse_history(active.history_path);
  const Nanos wall = monotonic_now() - active.began;
  if (interrupted_) return std::nullopt;
  FinishedRun finished{active.tag, std::move(active.one), read_history(active.history), {}, wall};
  finished.verdicts = oracles::judge(finished.history);
  return finished;
}

std::vector<FinishedRun> RunPool::wait() {
  std::vector<pollfd> watched{{interrupts_.fd.get(), POLLIN, 0}};
  for (const auto& each : active_) watched.push_back({each->arena->pidfd(), POLLIN, 0});
  int ready = 0;
  while ((ready = ::poll(watched.data(), watched.size(), arena::Arena::milliseconds_between_looks)) == 0) {
    for (const auto& each : active_) each->arena->keep_going();
  }
  if (ready < 0 && errno != EINTR) fail("poll");
  if (watched[0].revents != 0 && !std::exchange(interrupted_, true)) {
    for (const auto& each : active_) each->arena->end();
  }
  std::vector<FinishedRun> finished;
  std::vector<std::unique_ptr<ActiveRun>> still;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (watched[i + 1].revents == 0) still.push_back(std::move(active_[i]));
    else if (auto run = finish(*active_[i])) finished.push_back(std::move(*run));
  }
  active_ = std::move(still);
  return finished;
}

std::optional<Obstacle> obstacle_to(const Case& one, const arena::Provision& provision) {
  faults::Stage stage;
  for (const auto& fault : make_faults(one)) {
    fault->set_stage(stage);
    if (const std::string missing = fault->missing(); !missing.empty()) {
      return Obstacle{CellOutcome::skipped, "skipped: " + missing};
    }
  }
  if (provision.tier != arena::Tier::subreaper) return std::nullopt;
  const auto* command = std::get_if<Command>(&one.subject);
  if (command != nullptr && (mentions(*command, "{dir}") || !command->files.empty())) {
    return Obstacle{CellOutcome::unknown, "it was not run: {dir} is a directory of the arena's own, and the subreaper tier has "
                                          "no mount namespace"};
  }
  if (stage.overlays.empty() && !stage.name_server) return std::nullopt;
  return Obstacle{CellOutcome::unknown,
                  "it was not run: a fault needs files and a name server of its own, and the subreaper tier has neither "
                  "a mount nor a network namespace"};
}

std::string task_program() {
  const std::string path = program_part("forkproof-task");
  if (::access(path.c_str(), X_OK) != 0) throw HarnessFailure("forkproof-task is not there: " + path);
  return path;
}

}  // namespace forkproof::run
