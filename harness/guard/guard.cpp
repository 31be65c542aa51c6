// The life of a guarded command.
//   1. Outside, signals become a descriptor, and what is to be passed on goes down a pipe.
//   2. PID 1 of the arena forks a launcher and that the command, which waits until it can be observed, and is let go.
//   3. When the command has ended, everybody else has the grace. It ends early when it is proved that none of them
//      can end by itself.
//   4. Whoever is left then is counted and explained, in a history that the outside reads.
//   5. PID 1 ends, and the kernel kills the rest.
#include "harness/guard/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "harness/arena/arena.h"
#include "harness/arena/launcher.h"
#include "harness/arena/private_places.h"
#include "harness/arena/warden.h"
#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/observe/alarms.h"
#include "harness/observe/census.h"
#include "harness/observe/outlook.h"
#include "harness/observe/proc.h"
#include "harness/observe/set_aside.h"
#include "harness/observe/standstill.h"
#include "harness/observe/strangers.h"

namespace forkproof::guard {
namespace {

constexpr int not_executable = 126, not_found = 127;  // as shells say it
constexpr Nanos look_period = std::chrono::milliseconds(5);
constexpr Nanos census_patience = std::chrono::seconds(10);
constexpr char exec_failed[] = "exec";
constexpr char lost_file[] = "file in a private /tmp";

/// A signal on its way inside.
struct Passed {
  int signal = 0;
  bool to_group = false;
};

struct Pipe {
  Fd reader, writer;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    reader.reset(ends[0]), writer.reset(ends[1]);
  }
};

sigset_t passed_on() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

/// Signals as a descriptor for as long as it lives; the mask before is the command's.
class SignalsHeld {
 public:
  SignalsHeld() {
    const sigset_t set = passed_on();
    ::sigprocmask(SIG_BLOCK, &set, &before);
    fd.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) fail("signalfd");
  }
  ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  sigset_t before{};
  Fd fd;
};

/// What is made outside and inherited.
struct Stage {
  const GuardOrders& orders;
  const observe::Outlook& outlook;
  bool sealed = true;
  sigset_t mask{};
  int history = -1;
  int signals = -1;  ///< of Passed
  Nanos origin{};
};

/// PID 1. Active: run() is its life.
class Guard {
 public:
  explicit Guard(const Stage& stage)
      : stage_(stage),
        history_(stage.history, stage.origin),
        strangers_(warden_, stage.outlook, stage.sealed,
                   {[this](Happening what) { strange(std::move(what)); }, [](Pid) { return false; }, [](Pid) {}}),
        census_(warden_, stage.sealed, ::getpid()) {}

  int run() {
    observe::remember_alarms();
    warden_.on_reaped([this](Pid pid, WaitStatus status) { reaped(pid, status); });
    warden_.watch(stage_.signals, [this] { pass_on(); });
    try {
      start();
      warden_.run();
    } catch (const std::exception& error) {
      history_.append(Trouble{"PID 1", error.what()});
      throw;
    }
    return history_.failure() == 0 ? 0 : 74;  // EX_IOERR
  }

 private:
  /// Births and ends are told by the thousand, and nobody asks for them: who was whose starter is remembered anyway.
  void strange(Happening what) {
    if (std::holds_alternative<ObservationChosen>(what)) history_.append(std::move(what));
  }

  void start() {
    if (stage_.orders.private_tmp) {
      places_ = arena::make_places_private(sharing());
      there_before_ = arena::left_in_private_places(places_, {});
    }
    const Pipe go;
    launched_ = launch_with_signals_blocked(go);
    root_ = launched_.command;
    observe::set_aside(launched_.launcher, ::getpid());
    root_end_ = observe::open_pidfd(root_);
    if (!root_end_) fail("pidfd of the command");
    warden_.watch(root_end_.get(), [this] { root_has_ended(); });
    strangers_.begin(stage_.orders.observe, root_);
    began_ = monotonic_now();
    history_.append(Spawned{root_, ::getpid(), supervisor_node, stage_.orders.argv.front()});
    [[maybe_unused]] const auto told = ::write(go.writer.get(), "x", 1);
  }

  [[nodiscard]] arena::Sharing sharing() const {
    if (!stage_.sealed) throw HarnessFailure("--private-tmp needs a mount namespace, and none can be had here");
    arena::Sharing sharing{stage_.orders.shares, arena::environment_texts()};
    sharing.texts.insert(sharing.texts.end(), stage_.orders.argv.begin(), stage_.orders.argv.end());
    return sharing;
  }

  void tell_what_is_lost() {
    if (places_.empty()) return;
    for (const std::string& path : arena::left_in_private_places(places_, {})) {
      const bool was_there = std::binary_search(there_before_.begin(), there_before_.end(), path);
      if (!was_there) history_.append(ProbeMade{lost_file, path, false});
    }
  }

  /// What is passed on before the command has its own mask waits for it.
  arena::Launched launch_with_signals_blocked(const Pipe& go) const {
    const sigset_t set = passed_on();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &set, &before);
    const auto launched = arena::launch([this, &go] { become_command(go); });
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return launched;
  }

  /// Where somebody has stopped the launcher, nobody else would leave the dead command to PID 1.
  void root_has_ended() {
    warden_.unwatch(root_end_.get());
    root_end_.reset();
    arena::end_launcher(launched_);
  }

  /// As whoever called repro would have started it, but in a session of its own: process groups of outside have no
  /// number in here, and kill(0) would reach them.
  [[noreturn]] void become_command(const Pipe& go) const {
    char byte = 0;
    if (::read(go.reader.get(), &byte, 1) != 1) ::_exit(70);
    ::setsid();
    ::signal(SIGPIPE, SIG_DFL), ::signal(SIGXFSZ, SIG_DFL);  // repro ignores both for itself
    ::sigprocmask(SIG_SETMASK, &stage_.mask, nullptr);
    std::vector<char*> words;
    for (const std::string& word : stage_.orders.argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    const int error = errno;
    HistoryWriter(stage_.history, stage_.origin).append(Trouble{exec_failed, fmt::format("{}: {}", words.front(), std::strerror(error))});
    ::_exit(error == ENOENT ? not_found : not_executable);
  }

  void pass_on() {
    Passed passed;
    const auto got = ::read(stage_.signals, &passed, sizeof passed);
    if (got != sizeof passed) return warden_.unwatch(stage_.signals);  // the outside is gone, and the keeper will see to us
    if (root_ <= 0) return;
    // Before its setsid there is no such group; it has the signal blocked until it takes its caller's mask.
    const bool no_group = passed.to_group && ::kill(-root_, passed.signal) != 0;
    if (no_group || !passed.to_group) ::kill(root_, passed.signal);
  }

  void reaped(Pid pid, WaitStatus status) {
    strangers_.reaped(pid, status);
    if (observe::is_set_aside(pid)) launched_.launcher = -1;
    if (pid != root_) return;
    root_ = -1;
    history_.append(Exited{pid, stage_.orders.argv.front(), status, true});
    over_at_ = monotonic_now() + stage_.orders.grace;
    look_who_is_left();
  }

  /// Not each end is told to PID 1, so the condition is looked at until it is there or the grace is over.
  void look_who_is_left() {
    if (observe::everybody(stage_.sealed, ::getpid()).empty() && !has_children()) return finish({"conclusion", true, {}});
    if (proof_.empty()) proof_ = observe::Standstill(stage_.sealed, ::getpid()).proof();
    if (proof_.empty() && monotonic_now() < over_at_) return warden_.call_at(std::min(over_at_, monotonic_now() + look_period), [this] { look_who_is_left(); });
    census_.take("deadline", census_patience, [this](CensusTaken census) { finish(std::move(census)); });
  }

  void finish(CensusTaken census) {
    std::vector<Pid> left;
    for (const CensusEntry& entry : census.processes) left.push_back(entry.pid);
    Explained why = observe::explain(census.when, left, strangers_.known(), stage_.sealed, ::getpid());
    why.proof = proof_;
    history_.append(std::move(census));
    history_.append(std::move(why));
    tell_what_is_lost();
    history_.append(RunEnded{"the grace is over", history_.count() + 1});
    warden_.stop();
  }

  const Stage& stage_;
  HistoryWriter history_;
  arena::Warden warden_;
  observe::Strangers strangers_;
  observe::Census census_;
  arena::Launched launched_;
  Pid root_ = -1;
  Fd root_end_;  // its pidfd
  std::vector<std::string> places_;        // of its own, where that was asked for
  std::vector<std::string> there_before_;  // what the machine's /tmp gave it
  Nanos began_{}, over_at_{};
  std::string proof_;  // that nobody who is left will ever end by itself
};

/// In the caller: signals go down the pipe until the arena is gone.
void pass_signals_until_end(const arena::Arena& arena, const Fd& signals, const Fd& writer) {
  for (;;) {
    pollfd watched[2] = {{arena.pidfd(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) fail("poll");
    if (watched[0].revents != 0) return;
    signalfd_siginfo about{};
    if (watched[1].revents == 0 || ::read(signals.get(), &about, sizeof about) != sizeof about) continue;
    // A terminal's key is meant for everybody in the foreground, another process's kill for this one.
    const Passed passed{static_cast<int>(about.ssi_signo), about.ssi_code == SI_KERNEL};
    [[maybe_unused]] const auto written = ::write(writer.get(), &passed, sizeof passed);
  }
}

GuardResult result_of(const History& history) {
  GuardResult result;
  Nanos began{};
  result.cut_off = true;
  for (const Event& event : history.events()) {
    if (event.as<Spawned>() != nullptr) began = event.at;
    if (const auto* exited = event.as<Exited>()) result.status = exited->status, result.ended_after = event.at - began;
    if (const auto* chosen = event.as<ObservationChosen>(); chosen != nullptr && !result.observation) result.observation = *chosen;
    if (const auto* census = event.as<CensusTaken>()) result.left = *census;
    if (const auto* why = event.as<Explained>()) result.why = *why;
    const auto* probe = event.as<ProbeMade>();
    if (probe != nullptr && probe->what == lost_file) result.lost.push_back(probe->result);
    if (event.as<RunEnded>() != nullptr) result.cut_off = false;
    const auto* trouble = event.as<Trouble>();
    if (trouble != nullptr) (trouble->where == exec_failed ? result.not_started : result.trouble) = trouble->what;
  }
  return result;
}

}  // namespace

GuardResult guard(const GuardOrders& orders, const arena::Provision& provision) {
  const SignalsHeld signals;
  const observe::OutlookHeld outlook(false);  // nobody asks who was signalled
  const Fd file = anonymous_file("forkproof-guard");
  const Pipe passing;
  const Stage stage{orders, outlook.outlook(), provision.tier != arena::Tier::subreaper, signals.before,
                    file.get(), passing.reader.get(), monotonic_now()};
  arena::Contents contents;
  contents.inside = [&stage] { return Guard(stage).run(); };
  contents.at_most = Nanos{};  // a test run takes what it takes
  contents.privacy = arena::Privacy::processes;
  arena::Arena arena(provision, contents);
  pass_signals_until_end(arena, signals.fd, passing.writer);
  arena.finish();
  return result_of(read_history(file));
}

}  // namespace forkproof::guard
