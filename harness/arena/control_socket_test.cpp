#include "harness/arena/control_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

/// A child that runs `body`; waited for when it is dropped.
class Announcer {
 public:
  explicit Announcer(const std::function<int()>& body) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(body());
  }
  ~Announcer() {
    if (pid_ > 0) exit_code();
  }
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  int exit_code() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

class ControlSocketTest : public testing::Test {
 protected:
  Message next() {
    for (;;) {
      pollfd ready{socket_.fd(), POLLIN, 0};
      EXPECT_EQ(::poll(&ready, 1, -1), 1);
      if (auto message = socket_.take()) return std::move(*message);  // else somebody has connected, and will speak
    }
  }
  ControlAddress address_ = fresh_control_address();
  ControlSocket socket_{address_};
};

TEST_F(ControlSocketTest, HasNothingUntilSomebodySpeaks) { EXPECT_FALSE(socket_.take().has_value()); }

TEST_F(ControlSocketTest, TakesAnAnnouncementAndTheKernelSaysWhose) {
  Announcer child([&] {
    Announcement message;
    message.kind = AnnounceKind::event;
    message.node = 3;
    std::strcpy(message.role, "helper");
    return announce(address_, message, "payload", 7, nullptr);
  });
  const Message message = next();
  EXPECT_EQ(message.pid, child.pid());
  EXPECT_EQ(message.head.kind, AnnounceKind::event);
  EXPECT_EQ(message.head.node, 3);
  EXPECT_STREQ(message.head.role, "helper");
  EXPECT_EQ(message.payload, "payload");
  EXPECT_EQ(child.exit_code(), 0);
  EXPECT_FALSE(socket_.take().has_value());
}

TEST_F(ControlSocketTest, TakesThePayloadOfTheLargestSize) {
  Announcer child([&] {
    const std::string payload(max_payload, 'x');
    return announce(address_, {}, payload.data(), payload.size(), nullptr);
  });
  EXPECT_EQ(next().payload, std::string(max_payload, 'x'));
}

TEST_F(ControlSocketTest, AProcessWaitsUntilItIsAnswered) {
  Announcer child([&] {
    Orders orders;
    if (announce(address_, {}, nullptr, 0, &orders) != 0) return 1;
    return orders.node;
  });
  const Message message = next();
  EXPECT_EQ(::waitpid(child.pid(), nullptr, WNOHANG), 0) << "it must not go on by itself";
  Orders orders;
  orders.node = 42;
  message.answer(orders);
  EXPECT_EQ(child.exit_code(), 42);
}

TEST_F(ControlSocketTest, DroppingAMessageLetsGoToo) {
  Announcer child([&] {
    Orders orders;
    return announce(address_, {}, nullptr, 0, &orders) == EPIPE ? 0 : 1;
  });
  { const Message dropped = next(); }
  EXPECT_EQ(child.exit_code(), 0);
}

TEST_F(ControlSocketTest, AnsweringTheDeadIsNoFailure) {
  Announcer child([&] {
    Orders orders;
    announce(address_, {}, nullptr, 0, &orders);
    return 0;
  });
  const Message message = next();
  ::kill(child.pid(), SIGKILL);
  EXPECT_EQ(child.exit_code(), -1);
  message.answer();  // SIGPIPE would end this program
}

TEST_F(ControlSocketTest, WhoSpokeIsKnownByAPidfdThoughReapedMeanwhile) {
  Announcer child([&] { return announce(address_, {}, nullptr, 0, nullptr); });
  const pid_t pid = child.pid();
  EXPECT_EQ(child.exit_code(), 0);
  ASSERT_EQ(::kill(pid, 0), -1) << "it must have been reaped before its message is taken";
  const Fd pidfd = next().open_pidfd();
  if (!pidfd) GTEST_SKIP() << "this kernel has no pidfd of a reaped process (Linux 6.16)";
  pollfd ended{pidfd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 1) << "the pidfd must say that it has ended";
}

TEST_F(ControlSocketTest, WhatIsNoAnnouncementIsPassedOver) {
  Announcer child([&] {
    const Fd stranger(::socket(AF_UNIX, SOCK_SEQPACKET, 0)), silent(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path + 1, address_.name);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(address_.name));
    ::connect(stranger.get(), reinterpret_cast<sockaddr*>(&name), size);
    ::send(stranger.get(), "hello", 5, 0);
    Announcement other_magic;
    other_magic.magic = 1;
    ::connect(silent.get(), reinterpret_cast<sockaddr*>(&name), size);
    ::send(silent.get(), &other_magic, sizeof other_magic, 0);
    Announcement good;
    good.node = 5;
    return announce(address_, good, nullptr, 0, nullptr);
  });
  EXPECT_EQ(child.exit_code(), 0);  // all three are in the queue now
  EXPECT_EQ(next().head.node, 5);
  EXPECT_FALSE(socket_.take().has_value());
}

/// Connects, and speaks only when it is told to.
class SlowAnnouncer {
 public:
  explicit SlowAnnouncer(const ControlAddress& address) {
    EXPECT_EQ(::pipe(go_), 0);
    EXPECT_EQ(::pipe(connected_), 0);
    announcer_.emplace([this, &address] {
      const Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::strcpy(name.sun_path + 1, address.name);
      const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(address.name));
      if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return 1;
      char byte = 0;
      if (::write(connected_[1], "c", 1) != 1 || ::read(go_[0], &byte, 1) != 1) return 2;
      Announcement first;
      first.node = 1;
      if (::send(fd.get(), &first, sizeof first, 0) != sizeof first) return 3;
      Announcement second;
      second.node = 2;
      return announce(address, second, nullptr, 0, nullptr);
    });
    char byte = 0;
    EXPECT_EQ(::read(connected_[0], &byte, 1), 1);
  }
  ~SlowAnnouncer() {
    for (const int fd : {go_[0], go_[1], connected_[0], connected_[1]}) ::close(fd);
  }
  void speak() { EXPECT_EQ(::write(go_[1], "g", 1), 1); }
  Announcer& process() { return *announcer_; }

 private:
  int go_[2], connected_[2];
  std::optional<Announcer> announcer_;
};

TEST_F(ControlSocketTest, NobodyIsWaitedForWhoHasConnectedAndSaysNothing) {
  SlowAnnouncer slow(address_);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(socket_.take().has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(900)) << "it used to wait for a second";
  EXPECT_THAT(socket_.silent(), testing::ElementsAre(slow.process().pid()));
  Announcer other([&] { return announce(address_, {}, nullptr, 0, nullptr); });
  EXPECT_EQ(next().pid, other.pid());
  slow.speak();
  EXPECT_EQ(next().head.node, 1) << "what it says later is heard";
  EXPECT_EQ(next().head.node, 2);
  EXPECT_THAT(socket_.silent(), testing::IsEmpty());
  EXPECT_EQ(slow.process().exit_code(), 0);
  EXPECT_FALSE(socket_.take().has_value());
  pollfd ready{socket_.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0) << "nothing is left to be heard";
}

TEST_F(ControlSocketTest, WhatASlowOneSaidBeforeItSpokeAgainComesFirst) {
  SlowAnnouncer slow(address_);
  EXPECT_FALSE(socket_.take().has_value());
  slow.speak();
  EXPECT_EQ(slow.process().exit_code(), 0);  // both are sent now, and it has ended
  EXPECT_EQ(next().head.node, 1);
  EXPECT_EQ(next().head.node, 2);
}

TEST_F(ControlSocketTest, WhoWasKilledBeforeItSpokeIsForgotten) {
  SlowAnnouncer slow(address_);
  EXPECT_FALSE(socket_.take().has_value());
  ::kill(slow.process().pid(), SIGKILL);
  EXPECT_EQ(slow.process().exit_code(), -1);
  EXPECT_FALSE(socket_.take().has_value());
  EXPECT_THAT(socket_.silent(), testing::IsEmpty());
}

TEST_F(ControlSocketTest, NamesWithoutAnEndAreCut) {
  Announcer child([&] {
    Announcement message;
    std::memset(message.role, 'r', sizeof message.role);
    std::memset(message.point, 'p', sizeof message.point);
    return announce(address_, message, nullptr, 0, nullptr);
  });
  const Message message = next();
  EXPECT_EQ(std::string(message.head.role), std::string(sizeof message.head.role - 1, 'r'));
  EXPECT_EQ(std::string(message.head.point), std::string(sizeof message.head.point - 1, 'p'));
}

TEST_F(ControlSocketTest, KeepsTheOrderOfOneSpeaker) {
  Announcer child([&] {
    for (int i = 0; i < 50; ++i) {
      Announcement message;
      message.node = i;
      if (announce(address_, message, nullptr, 0, nullptr) != 0) return 1;
    }
    return 0;
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(next().head.node, i);
}

TEST_F(ControlSocketTest, TheSameNameIsNotHadTwice) {
  EXPECT_THROW(ControlSocket{address_}, HarnessFailure);
  EXPECT_STRNE(address_.name, fresh_control_address().name);
}

TEST_F(ControlSocketTest, WithTheSocketGoneAnAnnouncerIsRefused) {
  const ControlAddress address = fresh_control_address();
  { const ControlSocket gone(address); }
  EXPECT_EQ(announce(address, {}, nullptr, 0, nullptr), ECONNREFUSED);
}

}  // namespace
}  // namespace forkproof::arena
