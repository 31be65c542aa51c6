#include "harness/observe/crowd.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace forkproof::observe {
namespace {

/// Processes that wait until they are dropped.
class Waiting {
 public:
  explicit Waiting(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        for (;;) ::pause();
      }
      pids_.push_back(pid);
    }
  }
  ~Waiting() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::vector<pid_t> pids_;
};

TEST(Crowd, IsToldWhenThereAreMoreThanTheLimit) {
  Crowd crowd(false, ::getpid(), 10);
  EXPECT_FALSE(crowd.too_many());
  const Waiting ten(10);
  EXPECT_FALSE(crowd.too_many());
  const Waiting one(1);
  EXPECT_EQ(crowd.too_many(), 11U);
}

TEST(Crowd, ManyThatCameAndWentAreNone) {
  Crowd crowd(false, ::getpid(), 10);
  for (int i = 0; i < 50; ++i) Waiting one(1);
  EXPECT_FALSE(crowd.too_many());
}

}  // namespace
}  // namespace forkproof::observe
