#include "harness/core/sync_point.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace forkproof {
namespace {

int connect_to(const ControlAddress& address) noexcept {
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  const std::size_t length = ::strnlen(address.name, sizeof address.name);
  std::memcpy(peer.sun_path + 1, address.name, length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  int result = 0;
  do result = ::connect(fd, reinterpret_cast<const sockaddr*>(&peer), size);
  while (result != 0 && errno == EINTR);
  if (result == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int send_all(int fd, const Announcement& message, const void* payload, std::size_t payload_size) noexcept {
  iovec parts[2] = {{const_cast<Announcement*>(&message), sizeof message},
                    {const_cast<void*>(payload), payload_size}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = payload_size != 0 ? 2 : 1;
  ssize_t sent = 0;
  do sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

int wait_for_reply(int fd, Orders* reply) noexcept {
  ssize_t got = 0;
  do got = ::recv(fd, reply, sizeof *reply, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno;
  return got == static_cast<ssize_t>(sizeof *reply) && reply->magic == Orders{}.magic ? 0 : EPIPE;
}

}  // namespace

int announce(const ControlAddress& address, Announcement message, const void* payload, std::size_t payload_size,
             Orders* reply) noexcept {
  if (payload_size > max_payload) return EMSGSIZE;
  const int saved = errno;  // callable in a signal handler
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  message.at_ns = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  const int fd = connect_to(address);
  int error = fd < 0 ? errno : send_all(fd, message, payload, payload_size);
  if (error == 0 && reply != nullptr) error = wait_for_reply(fd, reply);
  if (fd >= 0) ::close(fd);
  errno = saved;
  return error;
}

}  // namespace forkproof
