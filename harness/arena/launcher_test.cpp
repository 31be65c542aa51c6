// What a command's parent is, and what it is not.
#include "harness/arena/launcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/core/child_for_test.h"

namespace forkproof::arena {
namespace {

/// Ends what was launched, and reaps it as PID 1 would: this process adopts orphans.
class Launch : public testing::Test {
 protected:
  Launch() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Launch() override {
    if (launched.command > 0) ::kill(launched.command, SIGKILL);
    end_launcher(launched);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  void launch_one_that(const std::function<void()>& lives) { launched = launch(lives); }
  Launched launched;
};

TEST_F(Launch, GivesTheCommandAParentThatIsNotTheCaller) {
  const Pipe told;
  launch_one_that([&told] {
    told.tell(std::to_string(::getppid()));
    ::pause();
  });
  char text[16] = {};
  ASSERT_GT(::read(told.reader.get(), text, sizeof text - 1), 0);
  EXPECT_EQ(std::atoi(text), launched.launcher);
  EXPECT_NE(launched.launcher, ::getpid());
}

TEST_F(Launch, TheLauncherHoldsNoDescriptor) {
  Pipe pipe;
  launch_one_that([&pipe] {
    pipe.reader.reset(), pipe.writer.reset();
    ::pause();
  });
  const std::string folder = "/proc/" + std::to_string(launched.launcher) + "/fd";
  // The pipe on which it told the pid is closed last.
  for (int look = 0; look < 10'000 && !std::filesystem::is_empty(folder); ++look) ::usleep(100);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(Launch, TheLauncherOutlivesEverySignalButSigkill) {
  launch_one_that([] { ::pause(); });
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::kill(launched.launcher, signal);
  }
  EXPECT_EQ(::waitpid(launched.launcher, nullptr, WNOHANG), 0);
  ::kill(launched.launcher, SIGKILL);
  EXPECT_EQ(::waitpid(launched.launcher, nullptr, 0), launched.launcher);
}

TEST_F(Launch, TheDeadCommandIsLeftToTheCaller) {
  launch_one_that([] { ::_exit(7); });
  int status = 0;
  ASSERT_EQ(::waitpid(launched.launcher, &status, 0), launched.launcher);
  ASSERT_EQ(::waitpid(launched.command, &status, 0), launched.command);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  launched = {};
}

TEST_F(Launch, AStoppedLauncherIsEndedAllTheSame) {
  launch_one_that([] { ::_exit(7); });
  ::kill(launched.launcher, SIGSTOP);
  const Launched before = launched;
  end_launcher(launched);
  end_launcher(launched);
  int status = 0;
  ASSERT_EQ(::waitpid(before.launcher, &status, 0), before.launcher);
  ASSERT_EQ(::waitpid(before.command, &status, 0), before.command);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  launched = {};
}

}  // namespace
}  // namespace forkproof::arena
