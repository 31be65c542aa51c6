#include "harness/observe/starvation.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace forkproof::observe {
namespace {

/// Two that spin on one processor: each has it half of the time.
class Rivals : public testing::Test {
 protected:
  Rivals() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    for (pid_t& rival : rivals_) {
      rival = ::fork();
      if (rival != 0) continue;
      ::sched_setaffinity(0, sizeof one, &one);
      for (volatile unsigned i = 0;; ++i) continue;
    }
  }
  ~Rivals() override {
    for (const pid_t rival : rivals_) ::kill(rival, SIGKILL), ::waitpid(rival, nullptr, 0);
  }
  pid_t rivals_[2] = {};
};

TEST_F(Rivals, EachIsKeptWaitingAndThatIsCounted) {
  using namespace std::chrono_literals;
  if (run_delay(rivals_[0]).value_or(Nanos{}) == Nanos{} && run_delay(::getpid()) == Nanos{}) {
    GTEST_SKIP() << "this kernel keeps no schedstat";
  }
  Starvation starvation;
  const auto look = [&] {
    starvation.look(rivals_[0], true);
    starvation.look(rivals_[1], false);
    return starvation.so_far();
  };
  look();
  while (look() < 50ms) continue;  // it grows as long as they are rivals
  const Nanos before = starvation.so_far();
  starvation.begin();
  look();
  EXPECT_LT(starvation.so_far(), before);
}

TEST(RunDelay, OfNobodyIsNothing) { EXPECT_FALSE(run_delay(0x7fffffff)); }

TEST(RunDelay, OfAZombieIsStillThere) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(run_delay(zombie));
  ::waitpid(zombie, nullptr, 0);
}

}  // namespace
}  // namespace forkproof::observe
