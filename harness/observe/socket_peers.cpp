#include "harness/observe/socket_peers.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <cstring>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

using Peers = std::unordered_map<std::uint64_t, std::uint64_t>;

bool ask(int socket) {
  struct {
    nlmsghdr header{};
    unix_diag_req request{};
  } message;
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = AF_UNIX;
  message.request.udiag_states = ~0U;
  message.request.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_NAME;
  return ::send(socket, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
}

void add_peer(const nlmsghdr* header, Peers* peers) {
  const auto* about = static_cast<const unix_diag_msg*>(NLMSG_DATA(header));
  unsigned length = header->nlmsg_len - static_cast<unsigned>(NLMSG_LENGTH(sizeof *about));
  const auto* attribute = reinterpret_cast<const rtattr*>(about + 1);
  std::uint32_t peer = 0;
  bool has_address = false;
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) {
    if (attribute->rta_type == UNIX_DIAG_PEER) std::memcpy(&peer, RTA_DATA(attribute), sizeof peer);
    has_address |= attribute->rta_type == UNIX_DIAG_NAME;
  }
  if (peer != 0 && !(about->udiag_type == SOCK_DGRAM && has_address)) (*peers)[about->udiag_ino] = peer;
}

/// False when this was the last part.
bool take(char* text, unsigned length, Peers* peers) {
  for (auto* header = reinterpret_cast<nlmsghdr*>(text); NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return false;
    if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) add_peer(header, peers);
  }
  return true;
}

}  // namespace

Peers socket_peers() {
  Peers peers;
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket || !ask(socket.get())) return peers;
  alignas(nlmsghdr) char text[32'768];
  for (ssize_t got; (got = ::recv(socket.get(), text, sizeof text, 0)) > 0;) {
    if (!take(text, static_cast<unsigned>(got), &peers)) break;
  }
  return peers;
}

}  // namespace forkproof::observe
