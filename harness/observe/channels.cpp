#include "harness/observe/channels.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "harness/observe/socket_peers.h"

namespace forkproof::observe {
Channels::Channels(const std::unordered_map<Pid, Standing>& everyone) {
  bool sockets = false;
  for (const auto& [pid, standing] : everyone) {
    for (const OpenChannel& open : standing.channels) {
      holders_[open.channel].push_back({pid, open.fd});
      sockets |= open.channel.socket;
    }
  }
  for (auto& [channel, held] : holders_) {
    std::sort(held.begin(), held.end(), [](const Holder& a, const Holder& b) { return std::pair(a.pid, a.fd) < std::pair(b.pid, b.fd); });
  }
  if (sockets) peers_ = socket_peers();
}

const std::vector<Channels::Holder>& Channels::holders(const Channel& channel) const {
  static const std::vector<Holder> nobody;
  const auto found = holders_.find(channel);
  return found == holders_.end() ? nobody : found->second;
}

Channel Channels::facing(const Channel& channel) const {
  if (!channel.socket) return channel;
  const auto peer = peers_.find(channel.inode);
  return {true, peer == peers_.end() ? 0 : peer->second};
}

bool Channels::is_paired(const Channel& socket) const {
  const Channel other = facing(socket);
  return other.inode != 0 && facing(other) == socket;
}

std::vector<Channels::Holder> Channels::other_side(const Channel& channel, bool for_room, std::size_t most) const {
  if (channel.socket) return holders(facing(channel));
  std::vector<Holder> able;
  for (const Holder& holder : holders(channel)) {
    if (able.size() == most) break;
    const Ends ends = ends_of(holder.pid, holder.fd);
    if (for_room ? ends.reads : ends.writes) able.push_back(holder);
  }
  return able;
}

bool Channels::same_description(const Holder& one, const Holder& other) {
  return ::syscall(SYS_kcmp, one.pid, other.pid, KCMP_FILE, static_cast<unsigned long>(one.fd),
                   static_cast<unsigned long>(other.fd)) == 0;
}

}  // namespace forkproof::observe
