#include "harness/observe/arena_rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "harness/core/child_for_test.h"

namespace forkproof::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Nanos limit = 60s;  // of a test on a busy machine

/// All descendants of this test, seen by one ArenaRest.
class Arena {
 public:
  explicit Arena(Nanos undisturbed = {}) { rest_.begin(began_, undisturbed); }
  /// How long it took to come to rest; `most` when it did not.
  Nanos rest(Nanos most = limit) {
    while (monotonic_now() - began_ < most) {
      if (rest_.look(monotonic_now())) return monotonic_now() - began_;
    }
    return most;
  }
  [[nodiscard]] const ArenaRest& seen() const { return rest_; }

 private:
  ArenaRest rest_{false, ::getpid(), [](Pid) { return false; }};
  Nanos began_ = monotonic_now();
};

void sleep_for_ever() {
  for (;;) ::pause();
}

TEST(ArenaRest, SleepersAreAtRest) {
  const Child one(sleep_for_ever), other(sleep_for_ever);
  Arena arena;
  EXPECT_LT(arena.rest(), limit);
  EXPECT_THAT(arena.seen().proof(), HasSubstr("2 processes, asleep at the same places for"));
}

TEST(ArenaRest, AProcessThatComputesIsNot) {
  const Child sleeper(sleep_for_ever);
  const Child busy([] {
    for (;;) asm volatile("");
  });
  Arena arena;
  EXPECT_EQ(arena.rest(500ms), 500ms);
  EXPECT_THAT(arena.seen().obstacle(), HasSubstr(std::to_string(busy.pid()) + " was running in"));
}

TEST(ArenaRest, AThreadOfAWorkerCounts) {
  const Child busy([] {
    std::thread worker([] {
      for (;;) asm volatile("");
    });
    worker.join();
  });
  Arena arena;
  EXPECT_EQ(arena.rest(500ms), 500ms);
}

TEST(ArenaRest, APollerIsAtRestOnceItHasComeBack) {
  const Child poller([] {
    for (;;) std::this_thread::sleep_for(100ms);
  });
  Arena arena;
  EXPECT_LT(arena.rest(), limit);
  EXPECT_THAT(arena.seen().proof(), HasSubstr("1 of 1 threads wakes up now and then"));
}

TEST(ArenaRest, APauseOfTheSetUpIsWaitedOut) {
  const Child starts([] {
    std::this_thread::sleep_for(400ms);
    sleep_for_ever();
  });
  Arena arena;
  const Nanos took = arena.rest();
  EXPECT_GE(took, 350ms);
  EXPECT_LT(took, limit);
}

TEST(ArenaRest, ALongSleepIsNoPauseOfTheSetUp) {
  const Child sleeper([] { std::this_thread::sleep_for(100s); });
  EXPECT_LT(Arena().rest(), limit);
}

TEST(ArenaRest, AShellThatPollsBySleepIsAtRest) {
  const Child shell([] { return ::execlp("sh", "sh", "-c", "while :; do sleep 0.2; done", nullptr); });
  Arena arena;
  const Nanos took = arena.rest();
  EXPECT_GE(took, 200ms) << "its second sleep shows that it comes again";
  EXPECT_LT(took, limit);
}

TEST(ArenaRest, AShellThatStartsOneProgramAfterTheOtherIsNot) {
  const Child shell([] { return ::execlp("sh", "sh", "-c", "while :; do /bin/true; /bin/echo >/dev/null; done", nullptr); });
  EXPECT_EQ(Arena().rest(1s), 1s);
}

TEST(ArenaRest, UndisturbedTimeIsWaitedForAsWell) {
  const Child sleeper(sleep_for_ever);
  const Nanos took = Arena(300ms).rest();
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, limit);
}

}  // namespace
}  // namespace forkproof::observe
