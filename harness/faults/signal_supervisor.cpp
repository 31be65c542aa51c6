// Fault `signal-supervisor`: the subject is told to end, as people and machines do it: a signal to its process
// (kill, a container runtime), to its process group (a shell), or by its terminal (Ctrl-C, Ctrl-\, a closed window).
//
// Established, one after the other:
//   1. the whole tree is up (or another fault of the case has fired);
//   2. the arena of a command is at rest (observe/arena_rest.h), or the time for that is over. A supervisor that is still
//      setting its handlers would meet the signal by chance. A model supervisor rests once its main thread sleeps in the
//      same system call in two looks; after rest_patience it is signalled all the same, and the proof says so;
//   3. for a terminal: the supervisor's group is the one in its foreground, and the keyboard's signals are on.
// With `again`, the same comes a second time, once the first is pending no more and the supervisor is still there. One that
// has ended by then needs no second.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr Nanos rest_patience = std::chrono::seconds(2);

/// Whether a supervisor that gets it owes its end. SIGHUP, SIGUSR1 and the like mean "reload" to many, and what they mean to
/// this one only the scenario can say; a terminal that hangs up is a closed window.
bool means_the_end(int signal, const std::string& to) {
  const bool ends = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGKILL || signal == SIGABRT;
  return ends || (signal == SIGHUP && to == "terminal");
}

class SignalSupervisor final : public Fault {
 public:
  explicit SignalSupervisor(const FaultSpec& spec)
      : name_(spec.word("signal", "SIGTERM")),
        to_(spec.word("to", "process")),
        after_(spec.word("after", "")),
        signal_(signal_from(name_)),
        asks_(spec.word("asks_teardown", means_the_end(signal_, to_) ? "true" : "false") == "true"),
        left_(spec.number("again", 0)) {}

  void set_stage(Stage& stage) override { stage.terminal |= to_ == "terminal"; }

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == -1) supervisor_ = spawned->pid;
    if (event.as<TreeReady>() != nullptr && after_.empty()) due_since_ = event.at;
    const auto* fired = event.as<FaultFired>();
    if (fired != nullptr && fired->fault == after_ && due_since_ == Nanos{}) due_since_ = event.at;
    if (const auto* exited = event.as<Exited>(); exited != nullptr && exited->pid == supervisor_) supervisor_ended(strike);
  }

  void tick(Strike& strike) override {
    if (due_since_ == Nanos{} || gone_) return;
    if (fired_) return second(strike);
    if (first_tick_ == Nanos{}) first_tick_ = monotonic_now();
    std::string proof = after_.empty() ? std::string("the whole tree is up") : after_ + " has fired";
    if (!strike.waited_for_rest()) {
      const bool rests = rest_.look(supervisor_);
      if (!rests && monotonic_now() - first_tick_ < rest_patience) return;
      proof += rests ? ", and the supervisor rests" : ", though the supervisor was never seen at rest";
    }
    if (to_ == "terminal" && !terminal_is_its(strike, &proof)) return;
    strike.established(proof);
    fire(strike);
  }

 private:
  /// Where another fault was enough to end it, nobody needs to ask.
  void supervisor_ended(Strike& strike) {
    gone_ = true;
    if (after_.empty() || due_since_ == Nanos{} || fired_) return;
    fired_ = true;
    strike.established(after_ + " has fired");
    strike.fired("the supervisor has ended before it could be sent " + name_);
    strike.asks_teardown("the supervisor ends by itself", cause::not_asked);
  }

  /// Whether what is typed will reach it; gives up where it will not.
  bool terminal_is_its(Strike& strike, std::string* proof) {
    pid_t group = 0;
    termios settings{};
    if (::ioctl(strike.terminal(), TIOCGPGRP, &group) != 0 || ::tcgetattr(strike.terminal(), &settings) != 0) {
      return strike.give_up("the subject has let go of its terminal"), false;
    }
    if (signal_ != SIGHUP && (settings.c_lflag & ISIG) == 0) {
      return strike.give_up("the subject has turned the keyboard's signals off"), false;
    }
    *proof += "; in the foreground of its terminal is group " + std::to_string(group);
    return true;
  }

  void fire(Strike& strike) {
    fired_ = true;
    rest_.forget();
    const std::string what = told();
    strike.fired(what);
    strike.asks_teardown(asks_ ? what : what + ", which asks for no end", asks_ ? cause::asked : cause::not_asked);
    send(strike);
  }

  [[nodiscard]] std::string told() const {
    if (to_ == "process") return "the rig sends the supervisor " + name_;
    if (to_ == "group") return "the rig sends the supervisor's process group " + name_;
    if (signal_ == SIGHUP) return "the rig hangs up its terminal";
    return std::string("the rig types ") + (signal_ == SIGINT ? "Ctrl-C" : "Ctrl-\\") + " at its terminal";
  }

  void send(Strike& strike) {
    if (to_ == "process") return strike.signal(supervisor_, signal_);
    if (to_ == "group") return strike.signal(-supervisor_, signal_);
    if (signal_ == SIGHUP) return strike.hang_up();
    termios settings{};
    ::tcgetattr(strike.terminal(), &settings);
    const cc_t key = settings.c_cc[signal_ == SIGINT ? VINTR : VQUIT];
    if (::write(strike.terminal(), &key, 1) != 1) strike.give_up("nothing can be typed at the subject's terminal");
  }

  void second(Strike& strike) {
    if (left_ == 0 || is_pending(supervisor_, signal_)) return;
    if (!rest_.look(supervisor_)) return;
    --left_;
    rest_.forget();
    send(strike);
  }

  std::string name_, to_, after_;
  int signal_;
  bool asks_;
  std::int64_t left_;
  Pid supervisor_ = 0;
  Nanos due_since_{}, first_tick_{};
  Rest rest_;
  bool fired_ = false, gone_ = false;
};

}  // namespace

std::span<const Setting> settings_of_signal_supervisor() {
  static constexpr Setting settings[] = {
      {"signal", false, false, "SIGTERM (where nothing is said) or any other that the kernel has, up to SIGRTMAX (SIGRTMIN+3)", 0, 0,
       "", "SIGTERM|SIGINT|SIGHUP|SIGQUIT|SIGKILL|SIGUSR1|SIGUSR2|SIGWINCH"},
      {"to", false, false, "process (where nothing is said); group: its process group; terminal: by a real pty, Ctrl-C, "
       "Ctrl-\\ or a hangup", 0, 0, "process group terminal"},
      {"again", true, false, "how many times more, each when the one before was taken and the supervisor is still there", 0, 10},
      {"after", false, false, "another fault of the case: not when the tree is up, but when that has fired"},
      {"asks_teardown", false, false, "whether the supervisor owes its end then (where nothing is said: after SIGTERM, SIGINT, "
       "SIGQUIT, SIGABRT, SIGKILL and a terminal's hangup). Of one that does not, the rig waits for what it makes of it: until the "
       "tree is gone and up again, or the bound is over. Then the rig sends SIGTERM", 0, 0, "true false"},
  };
  return settings;
}
std::string check_signal_supervisor(const FaultSpec& spec) {
  if (signal_from(spec.word("signal", "SIGTERM")) == 0) return "signal: there is no signal '" + spec.word("signal", "") + "'";
  const std::string after = spec.word("after", "");
  if (!after.empty() && find_fault(after) == nullptr) return "after: there is no fault '" + after + "'";
  if (after == "signal-supervisor") return "after: it cannot wait for itself; `again` sends it again";
  if (spec.word("to", "process") != "terminal") return {};
  const std::string signal = spec.word("signal", "SIGTERM");
  if (signal == "SIGHUP" && spec.number("again", 0) > 0) return "again: a terminal hangs up once";
  const bool by_terminal = signal == "SIGINT" || signal == "SIGQUIT" || signal == "SIGHUP";
  return by_terminal ? "" : "no terminal sends " + signal + ": SIGINT, SIGQUIT or SIGHUP";
}
std::unique_ptr<Fault> make_signal_supervisor(const FaultSpec& spec) { return std::make_unique<SignalSupervisor>(spec); }

}  // namespace forkproof::faults
