// When `channel-held` calls the task's channels held.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "harness/faults/fault.h"
#include "harness/faults/struck_for_test.h"

namespace forkproof::faults {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A task that is ready, with stdin and stderr alone.
class ChannelHeld : public testing::Test {
 protected:
  ChannelHeld() : task_(::fork()) {
    if (task_ == 0) {
      for (int fd = 3; fd < 64; ++fd) ::close(fd);
      ::close(1);
      ::kill(::getpid(), SIGSTOP);
    }
    ::waitpid(task_, nullptr, WUNTRACED);
  }
  ~ChannelHeld() override { end(); }
  void end() const {
    ::kill(task_, SIGKILL);
    ::waitpid(task_, nullptr, 0);
  }
  void be_ready() {
    fault_->see({.what = Spawned{task_, ::getpid(), 0, "task"}}, strike_);
    fault_->see({.what = Ready{.pid = task_, .node = 0}}, strike_);
  }
  pid_t task_;
  std::unique_ptr<Fault> fault_ = find_fault("channel-held")->make({"channel-held", {}});
  Struck strike_;
};

TEST_F(ChannelHeld, WhatIsNotOpenIsLeftOut) {
  be_ready();
  EXPECT_THAT(strike_.proof, HasSubstr("2 of the task's descriptors"));
  EXPECT_THAT(strike_.given_up, IsEmpty());
}

TEST_F(ChannelHeld, WhatCannotBeTakenIsNotLeftOut) {
  const Fd top(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit two_more{static_cast<rlim_t>(top.get()) + 3, before.rlim_max};  // the process, and one of its descriptors
  ::setrlimit(RLIMIT_NOFILE, &two_more);
  be_ready();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(strike_.proof, IsEmpty());
  EXPECT_THAT(strike_.given_up, HasSubstr("pidfd_getfd of its descriptor 2: Too many open files"));
}

TEST_F(ChannelHeld, ATaskThatIsGoneHoldsNothing) {
  end();
  be_ready();
  EXPECT_THAT(strike_.proof, IsEmpty());
  EXPECT_THAT(strike_.given_up, HasSubstr("pidfd_open"));
}

}  // namespace
}  // namespace forkproof::faults
