#include "harness/observe/outlook.h"

#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "harness/core/error.h"

namespace forkproof::observe {
namespace {

constexpr int queue_bytes = 8 * 1024 * 1024;  // the events of the whole machine wait here while the warden is busy

bool subscribe(int socket) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
  // A netlink header, in it a connector message, in it the wish.
  alignas(nlmsghdr) char wish[NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_cn_mcast_op))] = {};
  auto* header = reinterpret_cast<nlmsghdr*>(wish);
  header->nlmsg_len = sizeof wish;
  header->nlmsg_type = NLMSG_DONE;
  auto* connector = static_cast<cn_msg*>(NLMSG_DATA(header));
  connector->id.idx = CN_IDX_PROC, connector->id.val = CN_VAL_PROC;
  const proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
  connector->len = sizeof operation;
  std::memcpy(connector->data, &operation, sizeof operation);
  return ::send(socket, wish, sizeof wish, 0) == static_cast<ssize_t>(sizeof wish);
}

/// The kernel's first word is its answer to the subscription. Outside of the first namespaces it says nothing at all, so
/// silence is a refusal; and it answers in the very call that asks.
bool was_heard(int socket) {
  pollfd word{socket, POLLIN, 0};
  return ::poll(&word, 1, 0) == 1 && (word.revents & POLLIN) != 0;
}

}  // namespace

OutlookHeld::OutlookHeld(bool with_signals) {
  socket_.reset(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!socket_ || !subscribe(socket_.get())) {
    outlook_.refusal = error_text("process connector");
    return;
  }
  if (!was_heard(socket_.get())) {
    outlook_.refusal = "process connector: it answers in the first PID and network namespaces alone";
    return;
  }
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof queue_bytes) != 0) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof queue_bytes);
  }
  proc_.reset(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc_) {
    outlook_.refusal = error_text("open /proc");
    return;
  }
  outlook_.connector = socket_.get(), outlook_.proc = proc_.get();
  if (with_signals) outlook_.signals = &signals_.emplace();
}

}  // namespace forkproof::observe
