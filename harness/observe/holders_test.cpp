#include "harness/observe/holders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

struct Pipe {
  Fd out, in;
};
Pipe make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

TEST(FindDescriptor, TellsTheEndsOfAPipeApart) {
  Pipe pipe = make_pipe();
  const std::string name = descriptor_name(::getpid(), pipe.in.get());
  EXPECT_EQ(name, descriptor_name(::getpid(), pipe.out.get())) << "both ends bear one name";
  EXPECT_EQ(find_descriptor(::getpid(), name, Access::writing), pipe.in.get());
  EXPECT_EQ(find_descriptor(::getpid(), name, Access::reading), pipe.out.get());
  pipe.in.reset();
  EXPECT_EQ(find_descriptor(::getpid(), name, Access::writing), -1);
  EXPECT_EQ(find_descriptor(::getpid(), name, Access::any), pipe.out.get());
}

TEST(FindDescriptor, WhatIsOpenForBothIsOpenForEach) {
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const Access access : {Access::reading, Access::writing, Access::any}) {
    EXPECT_GE(find_descriptor(::getpid(), "/dev/null", access).value_or(-1), 0);
  }
}

TEST(FindDescriptor, OfAZombieIsNothing) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(find_descriptor(zombie, "pipe:[1]", Access::any)) << "it has closed all: that it holds nothing says nothing";
  ::waitpid(zombie, nullptr, 0);
}

TEST(FindDescriptor, OfNobodyIsNothing) { EXPECT_FALSE(find_descriptor(0x7fffffff, "pipe:[1]", Access::any)); }

}  // namespace
}  // namespace forkproof::observe
