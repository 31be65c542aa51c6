// The life of a guarded command.
//   1. Outside, signals become a descriptor, and what is to be passed on goes down a socket.
//   2. PID 1 of the arena forks a launcher and that the command, which waits until it can be observed.
//   3. Signals are passed on. One that asks for the end starts a time limit: kill_after, then SIGKILL. When the command
//      stops, the outside is told, and stops as well where a shell can continue it.
//   4. When the command has ended, everybody else has the grace, or what is left of the time limit. The grace
//      ends early when it is proved that none of them can end by itself.
//   5. Whoever is left then is counted and explained, in a history that the outside reads.
//   6. PID 1 ends, and the kernel kills the rest.
#include "harness/guard/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "harness/arena/arena.h"
#include "harness/arena/cgroup_remover.h"
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
#include "harness/observe/threads.h"

namespace forkproof::guard {
namespace {

constexpr int not_executable = 126, not_found = 127;  // as shells say it
constexpr Nanos look_period = std::chrono::milliseconds(5);
constexpr int most_looks_at_blocked = 200;
constexpr Nanos stop_look_period = std::chrono::milliseconds(100);
constexpr Nanos told_twice = std::chrono::milliseconds(100);
constexpr Nanos census_patience = std::chrono::seconds(10);
constexpr char exec_failed[] = "exec";
constexpr char lost_file[] = "file in a private /tmp";
constexpr char grace_is_over[] = "the grace is over";

/// A signal on its way inside.
struct Passed {
  int signal = 0;
  bool by_key = false;  ///< a terminal's key sent it, to everybody in the foreground
};

/// A word on its way outside: the command has stopped.
constexpr char has_stopped = 's';

bool asks_for_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

struct Socket {
  Fd inside, outside;
  Socket() {
    int ends[2];
    constexpr int kind = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (::socketpair(AF_UNIX, kind, 0, ends) != 0) fail("socketpair");
    inside.reset(ends[0]), outside.reset(ends[1]);
  }
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
  constexpr int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                             SIGUSR2, SIGCONT, SIGTSTP, SIGWINCH};
  for (const int signal : signals) sigaddset(&set, signal);
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
  int outside = -1;  ///< gives Passed, takes has_stopped
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
    warden_.watch(stage_.outside, [this] { pass_on(); });
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
  /// Births and ends are told by the thousand, and nobody asks for them: who was whose starter is remembered
  /// anyway.
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
    look_whether_stopped();
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

  /// As whoever called repro would have started it, but in a session of its own: process groups of outside
  /// have no number in here, and kill(0) would reach them.
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
    const auto got = ::read(stage_.outside, &passed, sizeof passed);
    if (got < 0 && errno == EAGAIN) return;
    if (got != sizeof passed) return warden_.unwatch(stage_.outside);  // the outside is gone, and so will this be
    if (root_ > 0) deliver(passed);
    if (asks_for_end(passed.signal)) end_is_asked_for(passed);
  }

  void deliver(const Passed& passed) {
    const bool to_all = passed.by_key || passed.signal == SIGCONT || passed.signal == SIGWINCH;
    send(passed.signal, to_all);
    if (passed.signal == SIGTSTP) stop_by_default(to_all);
    if (passed.signal == SIGCONT) was_stopped_ = false;  // its next stop is news again
    // Symptom: a stopped command does not take SIGTERM. Remedy: as timeout(1) and kill(1) of shells do,
    // SIGCONT follows.
    if (asks_for_end(passed.signal)) send(SIGCONT, to_all);
  }

  /// Before its setsid there is no such group; it has the signal blocked until it takes its caller's mask.
  void send(int signal, bool to_group) const {
    const bool no_group = to_group && ::kill(-root_, signal) != 0;
    if (no_group || !to_group) ::kill(root_, signal);
  }

  /// The kernel drops SIGTSTP's default in a process group without a parent in its session (an orphaned one),
  /// as the command's is. A process that neither catches nor ignores it is stopped in another way.
  void stop_by_default(bool whole_group) {
    std::vector<Pid> all{root_};
    if (whole_group) all = observe::everybody(stage_.sealed, ::getpid());
    for (const Pid pid : all) {
      const auto look = observe::look_at(pid);
      const bool is_meant = look && (pid == root_ || look->entry.group == root_);
      if (is_meant) stop_unless_handled(pid, most_looks_at_blocked);
    }
  }

  /// A shell blocks signals for the moment of a fork, so that one is looked at again. Taken by a signalfd, the signal is gone.
  void stop_unless_handled(Pid pid, int looks) {
    const auto has = [pid](const char* key) {
      const auto mask = std::strtoull(observe::status_field(pid, key).c_str(), nullptr, 16);
      return (mask & (1ULL << (SIGTSTP - 1))) != 0;
    };
    if (has("SigCgt") || has("SigIgn")) return;
    if (!has("SigBlk")) return void(::kill(pid, SIGSTOP));
    if (looks == 0 || !has("ShdPnd")) return;
    const Nanos soon = monotonic_now() + look_period;
    warden_.call_at(soon, [this, pid, looks] { stop_unless_handled(pid, looks - 1); });
  }

  /// The first time starts the limit. A second time, or once the command has ended, there is nothing left to
  /// wait for.
  void end_is_asked_for(const Passed& passed) {
    const Nanos now = monotonic_now();
    const bool again = asked_by_ != 0;
    // npm, make and timeout pass a Ctrl-C on to a process that the terminal has told already.
    const bool both_by_key = asked_by_key_ && passed.by_key;
    if (again && !both_by_key && now - asked_at_ < told_twice) return;
    if (!again) asked_at_ = now, asked_by_ = passed.signal, asked_by_key_ = passed.by_key;
    if (root_ <= 0) return cut_grace();
    if (again) return kill_command();
    const Nanos kill_after = stage_.orders.kill_after;
    if (kill_after > Nanos{}) warden_.call_at(now + kill_after, [this] { kill_command(); });
  }

  void kill_command() {
    if (root_ <= 0) return cut_grace();
    killed_ = true;
    history_.append(Signalled{::getpid(), root_, SIGKILL, 0});
    send(SIGKILL, true);
    ::kill(root_, SIGKILL);  // it may have left its group
  }

  void cut_grace() {
    over_at_ = std::min(over_at_, monotonic_now());
    look_who_is_left();
  }

  /// A stop is told by no signal that reaches every way of observing, so it is looked for.
  void look_whether_stopped() {
    if (root_ <= 0) return;
    const auto look = observe::look_at(root_);
    const bool stopped = look && observe::is_stopped(root_, look->entry.state);
    if (stopped && !std::exchange(was_stopped_, stopped)) {
      [[maybe_unused]] const auto told = ::write(stage_.outside, &has_stopped, 1);
    }
    was_stopped_ = stopped;
    warden_.call_at(monotonic_now() + stop_look_period, [this] { look_whether_stopped(); });
  }

  void reaped(Pid pid, WaitStatus status) {
    strangers_.reaped(pid, status);
    if (observe::is_set_aside(pid)) launched_.launcher = -1;
    if (pid != root_) return;
    root_ = -1;
    history_.append(Exited{pid, stage_.orders.argv.front(), status, true});
    const Nanos now = monotonic_now(), kill_after = stage_.orders.kill_after;
    over_at_ = now + stage_.orders.grace;
    if (killed_) over_at_ = now;
    else if (asked_by_ != 0 && kill_after > Nanos{}) over_at_ = std::min(over_at_, asked_at_ + kill_after);
    look_who_is_left();
  }

  /// Not each end is told to PID 1, so the condition is looked at until it is there or the grace is over.
  void look_who_is_left() {
    if (counting_) return;
    if (observe::everybody(stage_.sealed, ::getpid()).empty() && !has_children()) {
      counting_ = true;
      return finish({"conclusion", true, {}});
    }
    standstill_.look();
    if (standstill_.proof().empty() && monotonic_now() < over_at_) {
      return warden_.call_at(std::min(over_at_, monotonic_now() + look_period), [this] { look_who_is_left(); });
    }
    counting_ = true;
    census_.take("deadline", census_patience, [this](CensusTaken census) { finish(std::move(census)); });
  }

  void finish(CensusTaken census) {
    std::vector<Pid> left;
    for (const CensusEntry& entry : census.processes) left.push_back(entry.pid);
    Explained why = observe::explain(census.when, left, strangers_.known(), stage_.sealed, ::getpid());
    why.proof = standstill_.proof();
    history_.append(std::move(census));
    history_.append(std::move(why));
    tell_what_is_lost();
    history_.append(RunEnded{asked_by_ != 0 ? signal_name(asked_by_) : grace_is_over, history_.count() + 1});
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
  observe::StandstillWatch standstill_{stage_.sealed, ::getpid()};
  Nanos asked_at_{};
  int asked_by_ = 0;          // the first signal that asked for the end
  bool killed_ = false;       // ... and the command did not end by it in time
  bool asked_by_key_ = false;
  bool counting_ = false;
  bool was_stopped_ = false;
};

/// Stops this process where a shell can continue it. Elsewhere (no terminal, or an orphaned process group,
/// whose SIGTSTP the kernel drops) it goes on, and answers SIGTERM.
void stop_with_command() {
  const Fd terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (!terminal) return;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  ::kill(::getpid(), SIGTSTP);  // and here it goes on, after SIGCONT
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
}

/// In the caller: signals go inside until the arena is gone.
void pass_signals_until_end(const arena::Arena& arena, const Fd& signals, const Fd& inside) {
  for (;;) {
    pollfd watched[3] = {{arena.pidfd(), POLLIN, 0}, {signals.get(), POLLIN, 0}, {inside.get(), POLLIN, 0}};
    const int ready = ::poll(watched, 3, arena::Arena::milliseconds_between_looks);
    if (ready < 0 && errno != EINTR) fail("poll");
    if (ready <= 0) arena.keep_going();
    if (ready <= 0) continue;
    if (watched[0].revents != 0) return;
    char word = 0;
    const bool told = watched[2].revents != 0 && ::read(inside.get(), &word, 1) == 1;
    if (told && word == has_stopped) stop_with_command();
    signalfd_siginfo about{};
    if (watched[1].revents == 0 || ::read(signals.get(), &about, sizeof about) != sizeof about) continue;
    const Passed passed{static_cast<int>(about.ssi_signo), about.ssi_code == SI_KERNEL};
    [[maybe_unused]] const auto written = ::write(inside.get(), &passed, sizeof passed);
  }
}

GuardResult result_of(const History& history) {
  GuardResult result;
  Nanos began{};
  result.cut_off = true;
  for (const Event& event : history.events()) {
    if (event.as<Spawned>() != nullptr) began = event.at;
    if (const auto* exited = event.as<Exited>()) result.status = exited->status, result.ended_after = event.at - began;
    if (event.as<Signalled>() != nullptr) result.killed = true;
    if (const auto* chosen = event.as<ObservationChosen>(); chosen != nullptr && !result.observation) result.observation = *chosen;
    if (const auto* census = event.as<CensusTaken>()) {
      result.left = *census;
      result.graced = event.at - began - result.ended_after.value_or(Nanos{});
    }
    if (const auto* why = event.as<Explained>()) result.why = *why;
    const auto* probe = event.as<ProbeMade>();
    if (probe != nullptr && probe->what == lost_file) result.lost.push_back(probe->result);
    if (const auto* over = event.as<RunEnded>()) {
      result.cut_off = false;
      result.asked_by = over->because == grace_is_over ? "" : over->because;
    }
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
  const Socket passing;
  const arena::CgroupRemover remover(provision);
  const Stage stage{orders, outlook.outlook(), provision.tier != arena::Tier::subreaper, signals.before,
                    file.get(), passing.inside.get(), monotonic_now()};
  arena::Contents contents;
  contents.inside = [&stage] { return Guard(stage).run(); };
  contents.at_most = Nanos{};  // a test run takes what it takes
  contents.privacy = arena::Privacy::processes;
  arena::Arena arena(provision, contents);
  pass_signals_until_end(arena, signals.fd, passing.outside);
  arena.finish();
  GuardResult result = result_of(read_history(file));
  const bool is_short = !result.asked_by.empty() && result.graced < orders.grace;
  result.grace_cut = is_short && !result.left.processes.empty();
  return result;
}

}  // namespace forkproof::guard
