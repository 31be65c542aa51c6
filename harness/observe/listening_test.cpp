// Listening sockets by the kernel's own tables. PID 1 looks in an arena; here a child listens, and the test's own are left out.
#include "harness/observe/listening.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

/// A child with a socket of its own, ended with this.
class ListeningChild {
 public:
  explicit ListeningChild(const std::function<int()>& open) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int fd = open();
      [[maybe_unused]] const auto told = ::write(ends[1], fd >= 0 ? "y" : "n", 1);
      for (;;) ::pause();
    }
    char answer = 'n';
    EXPECT_EQ(::read(ends[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    ::close(ends[0]), ::close(ends[1]);
  }
  ~ListeningChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] Pid pid() const { return pid_; }

 private:
  Pid pid_ = 0;
};

int listen_tcp(int family) {
  const int fd = ::socket(family, SOCK_STREAM, 0);
  return ::listen(fd, 1) == 0 ? fd : -1;  // an unbound socket gets a port of any address
}

int listen_unix() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;  // no path: an abstract name of the kernel's choice
  return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0 && ::listen(fd, 1) == 0 ? fd : -1;
}

std::string address_held_by(Pid pid) {
  const ListenersSeen seen = listeners_in_arena("teardown", true, ::getpid());
  EXPECT_EQ(seen.trouble, "");
  for (const ListenerEntry& each : seen.listeners) {
    if (std::find(each.holders.begin(), each.holders.end(), pid) != each.holders.end()) return each.address;
  }
  return "";
}

TEST(Listening, EachKindOfSocketIsSeenWithItsHolder) {
  const ListeningChild tcp([] { return listen_tcp(AF_INET); }), local(listen_unix);
  EXPECT_TRUE(address_held_by(tcp.pid()).starts_with("0.0.0.0:")) << address_held_by(tcp.pid());
  EXPECT_TRUE(address_held_by(local.pid()).starts_with("@")) << address_held_by(local.pid());
  const Fd probe(::socket(AF_INET6, SOCK_STREAM, 0));
  if (!probe) GTEST_SKIP() << "no IPv6 here";
  const ListeningChild tcp6([] { return listen_tcp(AF_INET6); });
  EXPECT_TRUE(address_held_by(tcp6.pid()).starts_with("[::]:")) << address_held_by(tcp6.pid());
}

TEST(Listening, OneThatOnlyConnectsOrIsTheCallersIsNot) {
  const ListeningChild idle([] { return ::socket(AF_INET, SOCK_STREAM, 0); });
  EXPECT_EQ(address_held_by(idle.pid()), "");
  const Fd own(listen_tcp(AF_INET));
  const ListeningChild heir([] { return 0; });  // has the caller's socket by inheritance
  EXPECT_EQ(address_held_by(heir.pid()), "");
}

TEST(Listening, WithoutANamespaceOfItsOwnNothingIsTold) {
  EXPECT_NE(listeners_in_arena("teardown", false, ::getpid()).trouble, "");
}

}  // namespace
}  // namespace forkproof::observe
