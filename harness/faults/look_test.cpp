#include "harness/faults/look.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "harness/arena/control_socket.h"

namespace forkproof::faults {
namespace {

/// A child that is asleep in pause(2), with what it was told to set up done.
class Sleeper {
 public:
  template <class SetUp>
  explicit Sleeper(SetUp set_up) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      set_up();
      [[maybe_unused]] const auto wrote = ::write(ends[1], "!", 1);
      for (;;) ::pause();
    }
    char done;
    EXPECT_EQ(::read(ends[0], &done, 1), 1);
    ::close(ends[0]), ::close(ends[1]);
  }
  Sleeper() : Sleeper([] {}) {}
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    gone_ = std::exchange(pid_, -1);
  }
  [[nodiscard]] Pid pid() const { return pid_ > 0 ? pid_ : gone_; }

 private:
  pid_t pid_ = -1, gone_ = -1;
};

TEST(Look, WhoSleepsInOnePlaceRestsInTheSecondLook) {
  const Sleeper sleeper;
  while (state_of(sleeper.pid()) != 'S') continue;  // between its word and its pause
  Rest rest;
  EXPECT_FALSE(rest.look(sleeper.pid()));
  EXPECT_TRUE(rest.look(sleeper.pid()));
  rest.forget();
  EXPECT_FALSE(rest.look(sleeper.pid()));
}

TEST(Look, WhoWaitsForTheRigIsToldFromWhoWaits) {
  const Sleeper sleeper;
  while (resting_place(sleeper.pid()).empty()) continue;
  EXPECT_FALSE(waits_for_the_rig(resting_place(sleeper.pid())));
  const ControlAddress address = arena::fresh_control_address();
  const arena::ControlSocket socket(address);
  const pid_t announcer = ::fork();
  if (announcer == 0) {
    Orders answer;
    ::_exit(announce(address, {}, nullptr, 0, &answer));
  }
  while (resting_place(announcer).empty()) continue;  // nobody answers
  EXPECT_TRUE(waits_for_the_rig(resting_place(announcer))) << resting_place(announcer);
  ::kill(announcer, SIGKILL);
  ::waitpid(announcer, nullptr, 0);
  EXPECT_FALSE(waits_for_the_rig(resting_place(announcer)));
  EXPECT_FALSE(waits_for_the_rig("stopped"));
}

TEST(Look, WhoIsGoneDoesNotRest) {
  Sleeper sleeper;
  sleeper.end();
  Rest rest;
  EXPECT_FALSE(rest.look(sleeper.pid()));
  EXPECT_FALSE(rest.look(sleeper.pid()));
  EXPECT_EQ(state_of(sleeper.pid()), '?');
}

TEST(Look, TheBusyDoNotRest) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (;;) asm volatile("");
  }
  Rest rest;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(rest.look(pid));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST(Look, TheStoppedAreToldAsSuch) {
  const Sleeper sleeper;
  ::kill(sleeper.pid(), SIGSTOP);
  ::waitpid(sleeper.pid(), nullptr, WUNTRACED);
  EXPECT_EQ(resting_place(sleeper.pid()), "stopped");
}

TEST(Look, SignalMasksAreTheKernels) {
  const Sleeper sleeper([] {
    ::signal(SIGHUP, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  });
  EXPECT_EQ(signal_mask_of(sleeper.pid(), "SigIgn") & 1, 1U);
  EXPECT_EQ(signal_mask_of(sleeper.pid(), "SigBlk"), 1ULL << (SIGTERM - 1));
  EXPECT_FALSE(is_pending(sleeper.pid(), SIGTERM));
  ::kill(sleeper.pid(), SIGTERM);
  EXPECT_TRUE(is_pending(sleeper.pid(), SIGTERM));
}

TEST(Look, SignalsHaveNames) {
  EXPECT_EQ(signal_from("SIGCHLD"), SIGCHLD);
  EXPECT_EQ(signal_from("SIGNONSENSE"), 0);
  EXPECT_EQ(signal_from("TERM"), 0);
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGPWR, SIGSYS}) EXPECT_EQ(signal_from(signal_name(signal)), signal);
  EXPECT_EQ(signal_from("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_from("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(signal_from("SIGRTMAX-1"), SIGRTMAX - 1);
  for (const char* nonsense : {"", "SIG", "SIGRTMIN-1", "SIGRTMIN+", "SIGRTMIN+99", "SIGRTMAX+1", "SIGRTMIN+x", "15", "signal 15"}) {
    EXPECT_EQ(signal_from(nonsense), 0) << nonsense;
  }
}

}  // namespace
}  // namespace forkproof::faults
