#pragma once
#include <sys/types.h>

#include <boost/system/result.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/fd.h"
#include "harness/core/wait_status.h"
#include "harness/spawn/child/child.h"

namespace forkproof::spawn {

/// What a child is to be started with. Borrowed by the backend for the call only.
struct SpawnSpec {
  std::string path;                ///< the program, for backends that exec
  std::vector<std::string> argv;
  std::vector<int> fds;            ///< fds[i] becomes the child's descriptor i; nothing else is passed on
  std::vector<int> parent_ends;    ///< closed in a child that does not exec
  bool scrub = false;              ///< a child that does not exec closes all that it was not given
  ForkproofGroup group = FORKPROOF_GROUP_INHERIT;
  /// Announces a sync point in the child. Left out by backends whose parent is suspended until exec: it would wait
  /// for a process that waits for it.
  void (*hook)(void* argument, const char* point) = nullptr;
  /// The program as a function, for backends that do not exec.
  int (*entry)(void* argument) = nullptr;
  /// What hook and entry are given, `argument_size` bytes of plain data: a child of a sidecar gets a copy of them, and
  /// what they point to is there as it was when the backend was made.
  void* argument = nullptr;
  std::size_t argument_size = 0;  ///< at most `most_argument_bytes`
};
inline constexpr std::size_t most_argument_bytes = 4096;

/// A started child. The pidfd is open and close-on-exec, or empty where the child was gone before it could be opened.
struct Child {
  pid_t pid = -1;
  Fd pidfd;
};

/// The step that failed (the system call's name) and its errno.
struct SpawnFailure {
  const char* step = "";
  int error = 0;
};

/// The end of a child as its starter learns it.
struct WaitResult {
  WaitStatus status;
  bool vanished = false;  ///< nobody has the status any more (ECHILD, or the sidecar is gone); then it says 255
};

/// Whether a look at the child takes its status and with it the zombie.
enum class Reap : bool { leave, take };

/// One way to make a child. An object, since some (a forkserver) hold things. Called by one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;
  /// A failed exec is a SpawnFailure where the backend learns of it before it returns, else the child's exit 124.
  virtual boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) = 0;
  /// Empty while it lives. Never blocks. Where the sidecar is the parent, the sidecar has reaped it in either case.
  virtual std::optional<WaitResult> try_wait(const Child& child, Reap reap = Reap::take);
  /// The descriptor that is readable when `try_wait` has something to tell; the backend or the child owns it. -1: none.
  [[nodiscard]] virtual int exit_notice(const Child& child) const { return child.pidfd.get(); }
  /// The process that this backend keeps to spawn from: a child of its maker, and none of his tasks. -1: none.
  [[nodiscard]] virtual pid_t sidecar() const { return -1; }
};

/// What a backend's row says of it, together.
enum BackendTrait : unsigned {
  execs = 1,           ///< the child is a fresh image
  waits_for_exec = 2,  ///< the parent does not run between fork and exec
  resets_signals = 4,  ///< no handler, no ignored and no blocked signal reaches the child
  sidecar_is_parent = 8,  ///< the child is not the caller's: it cannot be waited for, only `try_wait` tells
};

/// One row of backends.def.
struct BackendRow {
  std::string_view key;
  bool execs;
  bool waits_for_exec;
  bool resets_signals;
  bool sidecar_is_parent;
  std::string_view about;
  std::unique_ptr<Backend> (*make)();
};
std::span<const BackendRow> backends();
/// Null when there is none of that name.
const BackendRow* find_backend(std::string_view key);

/// One row of reserved.def: a key that others use, and that cannot be had here.
struct ReservedRow {
  std::string_view key;
  std::string_view instead;  ///< the backend that works
  std::string_view because;  ///< why this one cannot
};
std::span<const ReservedRow> reserved_backends();
/// "'subint' is reserved: ...; use ..." where `key` is reserved, else empty.
std::string reserved_backend(std::string_view key);

}  // namespace forkproof::spawn
