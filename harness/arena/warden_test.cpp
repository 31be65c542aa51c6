#include "harness/arena/warden.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "harness/core/child_for_test.h"

namespace forkproof::arena {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

struct Pipe : forkproof::Pipe {
  Pipe() : forkproof::Pipe(O_CLOEXEC | O_NONBLOCK) {}
  void fill() const { tell("x"); }
  void drain() const { EXPECT_TRUE(wait()); }
};

TEST(WardenTimers, AreCalledInTheOrderOfTheirTimesOnceEach) {
  Warden warden;
  std::vector<int> called;
  const Nanos now = monotonic_now();
  warden.call_at(now + 3ms, [&] { called.push_back(3), warden.stop(); });
  warden.call_at(now + 1ms, [&] { called.push_back(1); });
  warden.call_at(now + 2ms, [&] { called.push_back(2); });
  warden.run();
  EXPECT_THAT(called, ElementsAre(1, 2, 3));
}

TEST(WardenTimers, AreNeverEarly) {
  Warden warden;
  const Nanos due = monotonic_now() + 5ms;
  Nanos called{};
  warden.call_at(due, [&] { called = monotonic_now(), warden.stop(); });
  warden.run();
  EXPECT_GE(called, due);
}

TEST(WardenTimers, ATimeThatIsPastIsCalledAtOnce) {
  Warden warden;
  int calls = 0;
  warden.call_at(-5s, [&] { ++calls; });
  warden.call_at(0s, [&] { ++calls, warden.stop(); });
  warden.run();
  EXPECT_EQ(calls, 2);
}

TEST(WardenTimers, MayAskForAnother) {
  Warden warden;
  int calls = 0;
  std::function<void()> again = [&] {
    if (++calls == 3) return warden.stop();
    warden.call_at(monotonic_now(), again);
  };
  warden.call_at(monotonic_now(), again);
  warden.run();
  EXPECT_EQ(calls, 3);
}

TEST(WardenTimers, StopEndsTheRoundAsWell) {
  Warden warden;
  int calls = 0;
  warden.call_at(1ns, [&] { ++calls, warden.stop(); });
  warden.call_at(2ns, [&] { ++calls; });
  warden.run();
  EXPECT_EQ(calls, 1);
}

TEST(WardenWatches, AreCalledWhileReadable) {
  Warden warden;
  const Pipe pipe;
  int calls = 0;
  pipe.fill();
  pipe.fill();
  warden.watch(pipe.reader.get(), [&] {
    pipe.drain();
    if (++calls == 2) warden.stop();
  });
  warden.run();
  EXPECT_EQ(calls, 2);
}

TEST(WardenWatches, MayBeEndedByTheirOwnCallback) {
  Warden warden;
  const Pipe pipe;
  int calls = 0;
  pipe.fill();
  warden.watch(pipe.reader.get(), [&] {
    ++calls;
    warden.unwatch(pipe.reader.get());  // still readable: without this it would be called again
    warden.call_at(monotonic_now(), [&] { warden.stop(); });
  });
  warden.run();
  EXPECT_EQ(calls, 1);
}

TEST(WardenWatches, OneThatAnotherCallbackHasEndedIsNotCalled) {  // both are ready in the same round
  Warden warden;
  const Pipe left, right;
  int calls = 0;
  left.fill();
  right.fill();
  const auto first_ends_both = [&] {
    ++calls;
    warden.unwatch(left.reader.get());
    warden.unwatch(right.reader.get());
    warden.call_at(monotonic_now(), [&] { warden.stop(); });
  };
  warden.watch(left.reader.get(), first_ends_both);
  warden.watch(right.reader.get(), first_ends_both);
  warden.run();
  EXPECT_EQ(calls, 1);
}

TEST(WardenWatches, MayBegunInACallback) {
  Warden warden;
  const Pipe left, right;
  bool called = false;
  left.fill();
  right.fill();
  warden.watch(left.reader.get(), [&] {
    left.drain();
    warden.watch(right.reader.get(), [&] { called = true, warden.stop(); });
  });
  warden.run();
  EXPECT_TRUE(called);
}


TEST(WardenIdle, ComesAfterAllThatWasReady) {
  Warden warden;
  Pipe ready;
  ready.fill();
  std::string order;
  warden.watch(ready.reader.get(), [&] { order += "r", warden.unwatch(ready.reader.get()); });
  warden.on_idle([&]() -> std::optional<Nanos> {
    order += "i";
    if (order.size() < 4) return order.size() == 2 ? 0ms : 1ms;
    warden.stop();
    return std::nullopt;
  });
  warden.call_when_idle();
  warden.run();
  EXPECT_EQ(order, "riii");
}

TEST(WardenIdle, IsNotCalledUnlessAskedFor) {
  Warden warden;
  bool called = false;
  warden.on_idle([&]() -> std::optional<Nanos> { return called = true, std::nullopt; });
  warden.call_at(monotonic_now() + 5ms, [&] { warden.stop(); });
  warden.run();
  EXPECT_FALSE(called);
}

TEST(WardenReaping, TellsOfEachDeadChildAndHow) {
  Warden warden;
  std::vector<std::string> told;
  warden.on_reaped([&](Pid, WaitStatus status) {
    told.push_back(status.text());
    if (told.size() == 3) warden.stop();
  });
  for (const int code : {3, 4}) {
    if (::fork() == 0) ::_exit(code);
  }
  const pid_t killed = ::fork();
  if (killed == 0) {
    for (;;) ::pause();
  }
  ::kill(killed, SIGKILL);
  warden.run();
  EXPECT_THAT(told, UnorderedElementsAre("exit 3", "exit 4", "SIGKILL"));
}

TEST(WardenReaping, OneWhoDiedBeforeTheWardenWasMadeIsFoundOnRequest) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(5);
  siginfo_t dead{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &dead, WEXITED | WNOWAIT), 0);
  Warden warden;
  std::vector<Pid> told;
  warden.on_reaped([&](Pid pid, WaitStatus) { told.push_back(pid); });
  warden.reap();
  warden.reap();
  EXPECT_THAT(told, ElementsAre(child));
}

TEST(WardenReaping, ManyDeadDoNotKeepTheOthersWaiting) {
  constexpr int all = 500;
  Warden warden;
  int reaped = 0, reaped_when_due = 0;
  warden.on_reaped([&](Pid, WaitStatus) {
    if (++reaped == 1) warden.call_at(monotonic_now(), [&] { reaped_when_due = reaped; });
    if (reaped == all) warden.stop();
  });
  for (int i = 0; i < all; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t dead{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &dead, WEXITED | WNOWAIT), 0);
  }
  warden.run();
  EXPECT_GT(reaped_when_due, 0);
  EXPECT_LT(reaped_when_due, all);
}

TEST(WardenCanary, TellsWhatTheMachineLost) {
  Warden warden;
  const Nanos blocked_for = 30ms;
  Nanos late{};
  warden.keep_canary(2ms, 1ms, [&](Nanos by) { late = std::max(late, by), warden.stop(); });
  warden.call_at(monotonic_now(), [&] {
    const Nanos until = monotonic_now() + blocked_for;
    while (monotonic_now() < until) continue;  // as a machine that is somewhere else
  });
  warden.run();
  EXPECT_GE(late, blocked_for - 2ms);
}

TEST(WardenCanary, IsSilentWithinItsTolerance) {
  Warden warden;
  bool told = false;
  warden.keep_canary(1ms, 1h, [&](Nanos) { told = true; });
  warden.call_at(monotonic_now() + 10ms, [&] { warden.stop(); });
  warden.run();
  EXPECT_FALSE(told);
}

TEST(WardenWatches, AnEventOfAnEarlierWatchIsNotTakenForANewOneOfTheSameNumber) {
  Warden warden;
  const Pipe silent;
  Pipe left, right;
  bool wrong = false;
  int calls = 0;
  left.fill();
  right.fill();
  const auto replace_other = [&](Pipe& mine, Pipe& other) {  // both are ready in the same round
    if (++calls > 1) return;
    warden.unwatch(mine.reader.get());
    warden.unwatch(other.reader.get());
    ::dup2(silent.reader.get(), other.reader.get());
    warden.watch(other.reader.get(), [&] { wrong = true; });
    warden.call_at(monotonic_now(), [&] { warden.stop(); });
  };
  warden.watch(left.reader.get(), [&] { replace_other(left, right); });
  warden.watch(right.reader.get(), [&] { replace_other(right, left); });
  warden.run();
  EXPECT_FALSE(wrong);
}
TEST(WardenReaping, TellsAlsoWhereItWasStartedWithSigchldIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  Warden warden;
  int told = 0;
  warden.on_reaped([&](Pid, WaitStatus) { ++told, warden.stop(); });
  if (::fork() == 0) ::_exit(0);
  warden.run();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace forkproof::arena
