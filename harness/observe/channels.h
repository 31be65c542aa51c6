#pragma once
#include <map>
#include <unordered_map>
#include <vector>

#include "harness/observe/snapshot.h"

namespace forkproof::observe {

/// Who holds which pipe or socket, by one walk; what is asked of few is read from /proc when it is asked. Borrows the walk.
class Channels {
 public:
  struct Holder {
    Pid pid = 0;
    int fd = -1;
  };
  explicit Channels(const std::unordered_map<Pid, Standing>& everyone);

  [[nodiscard]] const std::vector<Holder>& holders(const Channel& channel) const;
  static constexpr std::size_t some = 16, all = ~std::size_t{0};
  /// The descriptors by which a wait on this channel could be ended: those that can write where a process waits to read, and
  /// the reverse (`for_room`); of a socket, those of its other end. At most so many.
  [[nodiscard]] std::vector<Holder> other_side(const Channel& channel, bool for_room, std::size_t most) const;
  /// A socket whose only partner is one other: both ends were made by socketpair(2), or are connected streams. Whatever has
  /// an address can be reached by others.
  [[nodiscard]] bool is_paired(const Channel& socket) const;
  /// The channel on which somebody waits when this one is what keeps him waiting: itself, or a socket's other end.
  [[nodiscard]] Channel facing(const Channel& channel) const;
  /// The same open file description (kcmp): one was inherited from the other, or both from a third, or it was sent.
  static bool same_description(const Holder& one, const Holder& other);

 private:
  std::map<Channel, std::vector<Holder>> holders_;
  std::unordered_map<std::uint64_t, std::uint64_t> peers_;
};

}  // namespace forkproof::observe
