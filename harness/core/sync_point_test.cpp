#include "harness/core/sync_point.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/fd.h"

namespace forkproof {
namespace {

ControlAddress address_of_this_test(const char* test) {
  ControlAddress address;
  std::snprintf(address.name, sizeof address.name, "sync-point-test-%d-%s", ::getpid(), test);
  return address;
}

Fd listen_at(const ControlAddress& address) {
  Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path + 1, address.name, sizeof name.sun_path - 2);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(address.name));
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), size), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  return listener;
}

TEST(Announce, SaysWhenNobodyListensAndLeavesErrnoAlone) {
  errno = EDOM;  // what the interrupted code had
  Orders orders;
  EXPECT_EQ(announce(address_of_this_test("nobody"), {}, nullptr, 0, &orders), ECONNREFUSED);
  EXPECT_EQ(errno, EDOM);
}

TEST(Announce, RefusesAPayloadThatTheReceiverHasNoRoomFor) {
  const ControlAddress address = address_of_this_test("large");
  const Fd listener = listen_at(address);
  const std::vector<char> payload(max_payload + 1);
  errno = EDOM;
  EXPECT_EQ(announce(address, {}, payload.data(), payload.size(), nullptr), EMSGSIZE);
  EXPECT_EQ(errno, EDOM);
  EXPECT_EQ(announce(address, {}, payload.data(), max_payload, nullptr), 0);
}

TEST(Announce, SendsHeadAndPayloadAsOneMessageWithTheTime) {
  const ControlAddress address = address_of_this_test("message");
  const Fd listener = listen_at(address);
  Announcement message;
  message.kind = AnnounceKind::event;
  message.node = 4;
  std::strcpy(message.point, point::spawned);
  const Nanos before = monotonic_now();
  ASSERT_EQ(announce(address, message, "{}", 2, nullptr), 0);
  const Fd peer(::accept(listener.get(), nullptr, nullptr));
  struct {
    Announcement head;
    char payload[16];
  } got{};
  ASSERT_EQ(::recv(peer.get(), &got, sizeof got, 0), static_cast<ssize_t>(sizeof(Announcement) + 2));
  EXPECT_EQ(got.head.kind, AnnounceKind::event);
  EXPECT_EQ(got.head.node, 4);
  EXPECT_STREQ(got.head.point, point::spawned);
  EXPECT_STREQ(got.payload, "{}");
  EXPECT_GE(Nanos(got.head.at_ns), before);
  EXPECT_LE(Nanos(got.head.at_ns), monotonic_now());
}

TEST(Announce, WaitsForItsReply) {
  const ControlAddress address = address_of_this_test("reply");
  const Fd listener = listen_at(address);
  int result = -1;
  Orders orders;
  std::thread announcer([&] { result = announce(address, {}, nullptr, 0, &orders); });
  const Fd peer(::accept(listener.get(), nullptr, nullptr));
  Orders answer;
  answer.node = 12;
  EXPECT_EQ(::send(peer.get(), &answer, sizeof answer, 0), static_cast<ssize_t>(sizeof answer));
  announcer.join();
  EXPECT_EQ(result, 0);
  EXPECT_EQ(orders.node, 12);
}

TEST(Announce, SaysWhenTheWardenIsGoneBeforeItsReply) {
  const ControlAddress address = address_of_this_test("gone");
  Fd listener = listen_at(address);
  int result = -1;
  Orders orders;
  std::thread announcer([&] { result = announce(address, {}, nullptr, 0, &orders); });
  Fd peer(::accept(listener.get(), nullptr, nullptr));
  Announcement head;
  EXPECT_EQ(::recv(peer.get(), &head, sizeof head, 0), static_cast<ssize_t>(sizeof head));
  peer.reset();
  announcer.join();
  EXPECT_EQ(result, EPIPE);
}

}  // namespace
}  // namespace forkproof
