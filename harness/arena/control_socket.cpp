#include "harness/arena/control_socket.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <utility>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

constexpr int so_peerpidfd = 77;  // include/uapi/asm-generic/socket.h; glibc 2.36 does not know it

void watch(const Fd& events, const Fd& fd) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  if (::epoll_ctl(events.get(), EPOLL_CTL_ADD, fd.get(), &interest) != 0) fail("epoll_ctl(ADD) of the control socket");
}

enum class Heard { nothing, message, no_announcement };

/// Takes what a connection has sent, if it has. One that was killed before it spoke shows as end of file.
Heard hear(Message& message) {
  char payload[max_payload];
  iovec parts[2] = {{&message.head, sizeof message.head}, {payload, sizeof payload}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  ssize_t got = 0;
  do got = ::recvmsg(message.connection.get(), &header, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return Heard::nothing;
  if (got < static_cast<ssize_t>(sizeof message.head) || message.head.magic != Announcement{}.magic) return Heard::no_announcement;
  message.payload.assign(payload, static_cast<std::size_t>(got) - sizeof message.head);
  message.head.role[sizeof message.head.role - 1] = '\0';
  message.head.point[sizeof message.head.point - 1] = '\0';
  return Heard::message;
}

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
    : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), events_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!listener_ || !events_) fail("the control socket");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::size_t length = ::strnlen(address.name, sizeof address.name);
  std::memcpy(name.sun_path + 1, address.name, length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) fail("bind the control socket");
  if (::listen(listener_.get(), 4096) != 0) fail("listen on the control socket");
  watch(events_, listener_);
}

bool ControlSocket::accept_one() {
  Message message;
  do message.connection.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  while (!message.connection && (errno == EINTR || errno == ECONNABORTED));
  if (!message.connection && errno == EAGAIN) return false;
  if (!message.connection) fail("accept on the control socket");
  ucred peer{};
  socklen_t peer_size = sizeof peer;
  ::getsockopt(message.connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
  message.pid = peer.pid;
  watch(events_, message.connection);
  connected_.push_back(std::move(message));
  return true;
}

// One is accepted, then all who have connected are asked in turn, oldest first. So whatever was sent before the newest
// connected is taken before what that one says: nobody's second message overtakes the first, nor an effect its cause.
std::optional<Message> ControlSocket::take() {
  for (;;) {
    const bool accepted = accept_one();
    for (auto each = connected_.begin(); each != connected_.end();) {
      const Heard heard = hear(*each);
      if (heard == Heard::nothing) {
        ++each;
        continue;
      }
      Message message = std::move(*each);
      each = connected_.erase(each);
      ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, message.connection.get(), nullptr);
      if (heard == Heard::message) return message;
    }
    if (!accepted) return std::nullopt;
  }
}

std::vector<Pid> ControlSocket::silent() const {
  std::vector<Pid> pids;
  for (const Message& each : connected_) pids.push_back(each.pid);
  return pids;
}

ControlAddress fresh_control_address() {
  unsigned long random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = static_cast<unsigned long>(::getpid());
  ControlAddress address;
  std::snprintf(address.name, sizeof address.name, "forkproof-%d-%016lx", ::getpid(), random);
  return address;
}

}  // namespace forkproof::arena
