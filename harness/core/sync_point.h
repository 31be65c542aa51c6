#pragma once
#include <cstddef>
#include <cstdint>

// Sync points: a named place that a process announces to the warden, and where it can be held. One connection a
// message on an abstract AF_UNIX SOCK_SEQPACKET socket (`man 7 unix`), so that no descriptor lingers in anybody's
// table. The kernel, not the announcer, says who spoke (SO_PEERCRED). All of it is async-signal-safe and allocates
// nothing: it may be called between fork and exec, in a signal handler, and in the static task program.

namespace forkproof {

/// The control socket's abstract name, without the leading NUL. Plain data, so that it survives any kind of spawn.
struct ControlAddress {
  char name[64] = {};
};

/// First in every message. Its last byte is the protocol's version: raised with any change to the two structures below,
/// so that a task program of another build is refused rather than misread.
inline constexpr std::uint32_t protocol_magic = 0x666b7006;

enum class AnnounceKind : std::uint32_t {
  hello = 1,     ///< a tree node asks for its orders; answered with Orders
  ready,         ///< a tree node is up; answered
  sync_point,    ///< a named place; answered when the process may go on
  may_i,         ///< a named place that a loop comes by again: answered at once, with `granted` or not
  signal_taken,  ///< a handler ran; not answered
  wrote,         ///< a task has written `bytes` to its stdout in all; not answered
  introduce,     ///< the supervisor names a process of its own, `pid`, that is no node of the tree; answered
  event,         ///< the payload is a happening as JSON (supervisor and servers); not answered
};

struct Announcement {
  std::uint32_t magic = protocol_magic;
  AnnounceKind kind = AnnounceKind::sync_point;
  std::int32_t node = -1;      ///< place in the tree, -1 for the supervisor and the servers
  std::int32_t signal = 0;
  std::int64_t bytes = 0;      ///< with `wrote`
  std::int64_t at_ns = 0;      ///< CLOCK_MONOTONIC, filled by announce()
  std::int32_t parent = 0, group = 0, session = 0;  ///< with `ready`
  std::int32_t pid = 0;                             ///< with `introduce`
  char role[28] = {};
  char point[28] = {};
};

/// What a node of the tree is to do: the reply to `hello`. Plain data on purpose: no parsing after fork.
/// Children are numbered so that those of one node follow each other.
struct Orders {
  std::uint32_t magic = protocol_magic;
  bool granted = true;         ///< of a `may_i`
  std::int32_t node = -1;
  char role[28] = {};
  std::uint8_t on_term = 0, on_int = 0;  ///< Answer
  std::uint8_t sigint = 0;               ///< SigintSetup
  bool keeps_signals = false;            ///< dispositions and mask are changed only where a signal is asked for
  bool own_session = false, double_fork = false, ends_with_children = false, task_runner = false;
  std::uint32_t keeps = 0;
  std::int32_t exit_code = 0;
  std::uint64_t output_bytes = 0, write_size_bytes = 4096;
  std::int64_t exits_after_ns = -1;
  std::int32_t first_child = 0, child_count = 0;
  bool every_point = false;    ///< also announces the points that only matter under a schedule
  /// With `task_runner`: where its requests channel is (-1: the subject speaks no protocol), and its log channel
  /// (-1: none was passed on, it asks for one over the requests channel).
  std::int32_t requests_fd = -1, logs_fd = -1;
};

/// Largest payload of one announcement, in bytes.
inline constexpr std::size_t max_payload = 16'384;

/// Sends one announcement; with `reply`, waits until the warden answers, which is how a process is held.
/// Returns 0 or an errno; ECONNREFUSED and EPIPE mean that the warden is gone.
int announce(const ControlAddress& address, Announcement message, const void* payload, std::size_t payload_size,
             Orders* reply) noexcept;

/// Names of the sync points. `repro list sync-points` prints them.
namespace point {
inline constexpr char forked[] = "forked";                ///< in the child: before it has a group of its own
inline constexpr char before_exec[] = "before-exec";      ///< in the child: descriptors in place
inline constexpr char spawning[] = "spawning";            ///< supervisor: about to call the backend
inline constexpr char spawned[] = "spawned";              ///< supervisor: the backend has returned
inline constexpr char heartbeat[] = "heartbeat";          ///< supervisor: about to send the n-th
inline constexpr char stop_signalled[] = "stop-signalled";  ///< supervisor: sent a signal of its ladder
inline constexpr char queried[] = "queried";              ///< server: a query for a name has arrived
inline constexpr char concluded[] = "concluded";          ///< supervisor: final state known, about to exit
// Announced only where the case has a schedule, or a rule that names one of them: elsewhere they would just cost time.
inline constexpr char signalling[] = "signalling";        ///< supervisor: about to choose whom to signal, and to do it
inline constexpr char reaped[] = "reaped";                ///< supervisor: knows that its task has ended
inline constexpr char forking[] = "forking";              ///< node: about to start a child
inline constexpr char leaving[] = "leaving";              ///< node: about to end by itself
}  // namespace point

}  // namespace forkproof
