#include "harness/observe/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

using testing::HasSubstr;

struct Listening {
  Fd fd;
  ListenerOpened told;
};

/// `opener`: who is said to have opened it.
Listening listen_somewhere(Pid opener) {
  Listening listening{Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), {}};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listening.fd.get(), generic, size), 0);
  EXPECT_EQ(::listen(listening.fd.get(), 4), 0);
  ::getsockname(listening.fd.get(), generic, &size);
  struct stat about {};
  ::fstat(listening.fd.get(), &about);
  listening.told = {opener, ntohs(address.sin_port), "socket:[" + std::to_string(about.st_ino) + "]"};
  return listening;
}

TEST(Listener, OneThatIsHeldTakesThePortAndTheConnection) {
  const Listening listening = listen_somewhere(0);
  const ProbeMade bound = probe_bind(listening.told.port), connected = probe_connect(listening.told.port);
  EXPECT_FALSE(bound.ok);
  EXPECT_THAT(bound.result, HasSubstr("in use"));
  EXPECT_FALSE(connected.ok);
  EXPECT_EQ(connected.result, "accepted by the kernel");
}

TEST(Listener, OneThatIsGoneLeavesNothing) {
  Listening listening = listen_somewhere(0);
  listening.fd.reset();
  EXPECT_TRUE(probe_bind(listening.told.port).ok);
  EXPECT_TRUE(probe_connect(listening.told.port).ok);
  EXPECT_TRUE(holders_of(listening.told).empty());
}

TEST(Listener, AChildThatInheritedItIsNamedWithItsDescriptor) {
  Listening listening = listen_somewhere(::getpid());
  const int fd = listening.fd.get();
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto holders = holders_of(listening.told);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(holders.size(), 1U) << "neither the opener nor the one who looks";
  EXPECT_EQ(holders[0].pid, child);
  EXPECT_EQ(holders[0].fd, fd);
  EXPECT_EQ(holders[0].from, ::getpid());
  EXPECT_THAT(holders[0].what, HasSubstr(std::to_string(listening.told.port)));
}

}  // namespace
}  // namespace forkproof::observe
