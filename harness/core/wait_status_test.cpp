#include "harness/core/wait_status.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <csignal>

namespace forkproof {
namespace {

/// What the kernel says of a child that ends so.
WaitStatus status_of_child(void (*ends)()) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ends();
    ::_exit(99);
  }
  int raw = 0;
  EXPECT_EQ(::waitpid(pid, &raw, 0), pid);
  return WaitStatus(raw);
}

TEST(WaitStatus, OfAnExitIsTheKernelsOwn) {
  const WaitStatus status = status_of_child([] { ::_exit(3); });
  EXPECT_TRUE(status.exited());
  EXPECT_FALSE(status.signalled());
  EXPECT_FALSE(status.success());
  EXPECT_EQ(status.code(), 3);
  EXPECT_EQ(status.text(), "exit 3");
  EXPECT_EQ(status, WaitStatus::exited_with(3));
}

TEST(WaitStatus, OfAKillIsTheKernelsOwn) {
  const WaitStatus status = status_of_child([] { ::raise(SIGKILL); });
  EXPECT_FALSE(status.exited());
  EXPECT_TRUE(status.signalled());
  EXPECT_FALSE(status.success());
  EXPECT_EQ(status.signal(), SIGKILL);
  EXPECT_EQ(status.text(), "SIGKILL");
  EXPECT_EQ(status, WaitStatus::killed_by(SIGKILL));
}

TEST(WaitStatus, OnlyExitNoughtIsSuccess) {
  EXPECT_TRUE(WaitStatus::exited_with(0).success());
  EXPECT_FALSE(WaitStatus::exited_with(1).success());
  EXPECT_FALSE(WaitStatus::killed_by(SIGTERM).success());
}

TEST(WaitStatus, KeepsTheLowEightBitsOfACode) {  // as exit() itself does
  EXPECT_EQ(WaitStatus::exited_with(256 + 5).code(), 5);
  EXPECT_EQ(WaitStatus::exited_with(-1).code(), 255);
}

TEST(WaitStatus, ACoreDumpIsTheSameEnd) {
  const WaitStatus dumped(SIGABRT | 0x80);
  EXPECT_TRUE(dumped.signalled());
  EXPECT_EQ(dumped.signal(), SIGABRT);
  EXPECT_NE(dumped, WaitStatus::killed_by(SIGABRT));
  EXPECT_TRUE(dumped.same_end(WaitStatus::killed_by(SIGABRT)));
  EXPECT_FALSE(dumped.same_end(WaitStatus::killed_by(SIGKILL)));
  EXPECT_FALSE(WaitStatus::exited_with(SIGABRT).same_end(WaitStatus::killed_by(SIGABRT)));
}

TEST(SignalName, KnowsTheNamedOnesAndNumbersTheRest) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGCHLD), "SIGCHLD");
  EXPECT_EQ(signal_name(40), "signal 40");
  EXPECT_EQ(signal_name(0), "signal 0");
}

// Between an exit and a kill there is nothing else that a child can come to, and what is told is what was done.
RC_GTEST_PROP(WaitStatus, IsAnExitOrAKillAndNeverBoth, ()) {
  const int code = *rc::gen::inRange(0, 256), signal = *rc::gen::inRange(1, 65);
  const WaitStatus exited = WaitStatus::exited_with(code), killed = WaitStatus::killed_by(signal);
  RC_ASSERT(exited.exited() && !exited.signalled() && exited.code() == code && exited.success() == (code == 0));
  RC_ASSERT(killed.signalled() && !killed.exited() && killed.signal() == signal && !killed.success());
  RC_ASSERT(!exited.same_end(killed));
  RC_ASSERT(WaitStatus(exited.raw()) == exited && WaitStatus(killed.raw()) == killed);
  const WaitStatus dumped(killed.raw() | 0x80);
  RC_ASSERT(dumped.same_end(killed) && dumped.signal() == signal && dumped.text() == killed.text());
}

}  // namespace
}  // namespace forkproof
