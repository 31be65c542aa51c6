#include "harness/arena/control_socket.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

constexpr int so_peerpidfd = 77;  // include/uapi/asm-generic/socket.h; glibc 2.36 does not know it

}  // namespace

void Message::answer(const Orders& orders) const {
  // A process that died while it was held has nobody to read this; that is no error.
  ::send(connection.get(), &orders, sizeof orders, MSG_NOSIGNAL);
}

Fd Message::open_pidfd() const {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  if (::getsockopt(connection.get(), SOL_SOCKET, so_peerpidfd, &pidfd, &size) == 0) return Fd(pidfd);
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

ControlSocket::ControlSocket(const ControlAddress& address)
    : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  if (!listener_) fail("socket");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::size_t length = ::strnlen(address.name, sizeof address.name);
  std::memcpy(name.sun_path + 1, address.name, length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) fail("bind the control socket");
  if (::listen(listener_.get(), 4096) != 0) fail("listen on the control socket");
}

std::optional<Message> ControlSocket::take() {
  for (;;) {
    Message message;
    message.connection.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!message.connection) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return std::nullopt;
      fail("accept on the control socket");
    }
    ucred peer{};
    socklen_t peer_size = sizeof peer;
    ::getsockopt(message.connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
    message.pid = peer.pid;
    char payload[max_payload];
    iovec parts[2] = {{&message.head, sizeof message.head}, {payload, sizeof payload}};
    msghdr header{};
    header.msg_iov = parts;
    header.msg_iovlen = 2;
    // The announcer sends right after it connects, so this wait is short; a killed one shows as end of file, and one
    // that was stopped in between is given up.
    const timeval patience{1, 0};
    ::setsockopt(message.connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = 0;
    do got = ::recvmsg(message.connection.get(), &header, 0);
    while (got < 0 && errno == EINTR);
    if (got < static_cast<ssize_t>(sizeof message.head) || message.head.magic != Announcement{}.magic) continue;
    message.payload.assign(payload, static_cast<std::size_t>(got) - sizeof message.head);
    message.head.role[sizeof message.head.role - 1] = '\0';
    message.head.point[sizeof message.head.point - 1] = '\0';
    return message;
  }
}

ControlAddress fresh_control_address() {
  unsigned long random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = static_cast<unsigned long>(::getpid());
  ControlAddress address;
  std::snprintf(address.name, sizeof address.name, "forkproof-%d-%016lx", ::getpid(), random);
  return address;
}

}  // namespace forkproof::arena
