#include "harness/run/gate.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace forkproof::run {
namespace {

/// A process that has announced a sync point and waits; this one's own end of it is in the test.
struct Waiting {
  Fd process;
  arena::Message message;
  Waiting() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    process.reset(ends[0]);
    message.connection.reset(ends[1]);
  }
  [[nodiscard]] bool answered() const {
    Orders orders;
    return ::recv(process.get(), &orders, sizeof orders, MSG_DONTWAIT) == static_cast<ssize_t>(sizeof orders);
  }
};

class GateTest : public testing::Test {
 protected:
  Gate gate(const std::string& schedule) {
    return {Pick(schedule_from(schedule), 9), observe::Quiet(false, ::getpid(), {}),
            [this](Scheduled step, Nanos) { told_.push_back(std::move(step)); }};
  }
  /// Looks until there is nobody left, as the warden does.
  static void empty(Gate& gate) {
    const Nanos until = monotonic_now() + std::chrono::seconds(5);
    while (gate.look() && monotonic_now() < until) {
    }
  }
  std::vector<Scheduled> told_;
};

const WaitingAt supervisor{2, -1, "supervisor", "spawned"};
const WaitingAt task{3, 0, "task", "forked"};

TEST_F(GateTest, AtRestOneGoesAtATime) {
  Gate some = gate("a");
  Waiting first, second;
  some.arrive(std::move(first.message), {}, supervisor);
  some.arrive(std::move(second.message), {}, task);
  EXPECT_TRUE(some.look());
  EXPECT_FALSE(first.answered() || second.answered());  // one look shows nothing yet
  while (told_.empty()) (void)some.look();
  EXPECT_TRUE(second.answered());
  EXPECT_FALSE(first.answered());
  empty(some);
  EXPECT_TRUE(first.answered());
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].letter + told_[1].letter, "as");
  EXPECT_EQ(told_[0].decision, 1);
  EXPECT_EQ(told_[1].decision, 0);  // nobody else waited
  EXPECT_EQ(told_[0].waiting, (std::vector<WaitingAt>{supervisor, task}));
  EXPECT_TRUE(told_[0].settled && told_[1].settled);
}

TEST_F(GateTest, WithNobodyThereItWantsNotToBeCalled) {
  Gate some = gate("random:1");
  EXPECT_TRUE(some.empty());
  EXPECT_FALSE(some.look());
}

TEST_F(GateTest, TheDeadAreNotLetGo) {
  Gate some = gate("as");
  Waiting first, second;
  some.arrive(std::move(first.message), {}, supervisor);
  some.arrive(std::move(second.message), {}, task);
  second.process.reset();
  empty(some);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].letter, "s");
  EXPECT_EQ(told_[0].decision, 0);
}

TEST_F(GateTest, WhoIsToldToHaveEndedWaitsNoMore) {
  Gate some = gate("as");
  Waiting one;
  some.arrive(std::move(one.message), {}, task);
  some.ended(task.pid);
  EXPECT_TRUE(some.empty());
}

// One that spins must not hold up everybody; and the step says that it was not sure.
TEST_F(GateTest, WhereSomebodySpinsAStepIsMadeAllTheSame) {
  const pid_t spinning = ::fork();
  if (spinning == 0) {
    for (;;) ::getppid();
  }
  Gate some = gate("s");
  Waiting one;
  some.arrive(std::move(one.message), {}, supervisor);
  empty(some);
  ::kill(spinning, SIGKILL);
  ::waitpid(spinning, nullptr, 0);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_FALSE(told_[0].settled);
  EXPECT_TRUE(one.answered());
}

}  // namespace
}  // namespace forkproof::run
