#include "harness/core/tell.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <variant>

#include "harness/core/fd.h"
#include "harness/core/history.h"

namespace forkproof {
namespace {

class TellTest : public testing::Test {
 protected:
  TellTest() : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    std::snprintf(control_.name, sizeof control_.name, "tell-test-%d", ::getpid());
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path + 1, control_.name, std::strlen(control_.name));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(control_.name));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
  }
  /// What was told next; a default event when nothing was.
  Happening told() {
    const Fd connection(::accept(listener_.get(), nullptr, nullptr));
    static char text[sizeof(Announcement) + max_payload];
    const ssize_t got = connection ? ::recv(connection.get(), text, sizeof text, 0) : -1;
    EXPECT_GT(got, static_cast<ssize_t>(sizeof(Announcement))) << "nothing was told";
    if (got <= static_cast<ssize_t>(sizeof(Announcement))) return {};
    return happening_from(std::string(text + sizeof(Announcement), text + got));
  }

  Fd listener_;
  ControlAddress control_;
};

TEST_F(TellTest, WhatHasHappenedComesAsItIs) {
  tell(control_, Request{"state", 1, "PATCH", "/state", "{}"});
  const Happening happening = told();
  ASSERT_NE(std::get_if<Request>(&happening), nullptr);
  EXPECT_EQ(std::get<Request>(happening).body, "{}");
}

TEST_F(TellTest, WhatIsTooLargeIsNotPassedOverInSilence) {
  tell(control_, Request{"state", 1, "PATCH", "/state", std::string(max_payload, 'x')});
  const Happening happening = told();
  ASSERT_NE(std::get_if<Trouble>(&happening), nullptr);
  EXPECT_EQ(std::get<Trouble>(happening).where, "control socket");
  EXPECT_EQ(std::get<Trouble>(happening).what, "request is too large to be told");
}

}  // namespace
}  // namespace forkproof
