#include "harness/observe/signal_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "harness/core/child_for_test.h"
#include "harness/core/duration.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// A child that sets itself up and then waits; returns when it is asleep in that wait, or stopped.
class Child : public forkproof::Child {
 public:
  explicit Child(const std::function<void()>& body)
      : forkproof::Child([&body] {
          body();
          for (;;) ::pause();
        }) {
    while (!at_rest()) ::usleep(100);
  }

 private:
  [[nodiscard]] bool at_rest() const {
    const auto look = look_at(pid());
    if (look && look->entry.state == "T") return true;
    const std::vector<Thread> threads = threads_of(pid());
    return look && look->entry.state == "S" && threads.size() == 1 && threads[0].blocked;
  }
};

/// What is found within half a second of SIGINT.
std::optional<SignalWithoutEffect> after_sigint(const Child& child) {
  SignalWatch watch;
  ::kill(child.pid(), SIGINT);
  watch.sent(child.pid(), "task", SIGINT);
  const Nanos until = monotonic_now() + 500ms;
  while (monotonic_now() < until) {
    if (auto found = watch.look()) return found;
    ::usleep(200);
  }
  return std::nullopt;
}

std::string how_it_stays(const std::function<void()>& body) {
  const auto found = after_sigint(Child(body));
  return found ? found->how + (found->proved ? "" : ", not proved") : "";
}

void nothing(int) {}

TEST(SignalWatch, FindsOneThatIsIgnored) {
  EXPECT_EQ(how_it_stays([] { ::signal(SIGINT, SIG_IGN); }), "ignored");
}

TEST(SignalWatch, FindsOneThatIsBlocked) {
  EXPECT_EQ(how_it_stays([] {
              sigset_t all;
              sigfillset(&all);
              ::sigprocmask(SIG_BLOCK, &all, nullptr);
            }),
            "blocked");
}

TEST(SignalWatch, FindsOneThatIsPendingInAStoppedProcess) {
  EXPECT_EQ(how_it_stays([] { ::raise(SIGSTOP); }), "stopped");
}

TEST(SignalWatch, FindsAHandlerThatChangesNothing) {
  EXPECT_EQ(how_it_stays([] { ::signal(SIGINT, nothing); }), "handled");
}

TEST(SignalWatch, SaysNothingOfAProcessThatDies) {
  EXPECT_EQ(how_it_stays([] {}), "");
}

TEST(SignalWatch, SaysNothingOfAWaitThatEndsByItself) {  // it may look at its flag when the time is over
  EXPECT_EQ(how_it_stays([] {
              ::signal(SIGINT, nothing);
              for (;;) ::usleep(200'000);
            }),
            "");
}

TEST(SignalWatch, TellsEachOnlyOnce) {
  const Child child([] { ::signal(SIGINT, SIG_IGN); });
  SignalWatch watch;
  watch.sent(child.pid(), "task", SIGINT);
  EXPECT_FALSE(watch.look()) << "one look is no proof";
  EXPECT_TRUE(watch.look());
  EXPECT_FALSE(watch.look());
}

}  // namespace
}  // namespace forkproof::observe
