#pragma once
#include <cstdint>
#include <unordered_map>

namespace forkproof::observe {

/// The other end of each connected AF_UNIX socket of this network namespace, by inode (`man 7 sock_diag`). Without datagram
/// sockets that have an address: any process may send to them. Empty where the kernel will not tell.
std::unordered_map<std::uint64_t, std::uint64_t> socket_peers();

}  // namespace forkproof::observe
