#pragma once
#include <sys/types.h>

#include <boost/system/result.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/fd.h"
#include "harness/spawn/child/child.h"

namespace forkproof::spawn {

/// What a child is to be started with. Borrowed by the backend for the call only.
struct SpawnSpec {
  std::string path;                ///< the program, for backends that exec
  std::vector<std::string> argv;
  std::vector<int> fds;            ///< fds[i] becomes the child's descriptor i; nothing else is passed on
  std::vector<int> parent_ends;    ///< closed in a child that does not exec
  ForkproofGroup group = FORKPROOF_GROUP_INHERIT;
  /// Announces a sync point in the child. Left out by backends whose parent is suspended until exec: it would wait
  /// for a process that waits for it.
  void (*hook)(void* context, const char* point) = nullptr;
  void* hook_context = nullptr;
  /// The program as a function, for backends that do not exec.
  int (*entry)(void* argument) = nullptr;
  void* argument = nullptr;
};

/// A started child. The pidfd is open and close-on-exec; the owner reaps the pid.
struct Child {
  pid_t pid = -1;
  Fd pidfd;
};

/// The step that failed (the system call's name) and its errno.
struct SpawnFailure {
  const char* step = "";
  int error = 0;
};

/// One way to make a child. An object, since some (a forkserver) hold things. Called by one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;
  /// A failed exec is a SpawnFailure where the backend learns of it before it returns, else the child's exit 124.
  virtual boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) = 0;
};

/// One row of backends.def.
struct BackendRow {
  std::string_view key;
  bool execs;              ///< the child is a fresh image
  bool waits_for_exec;     ///< the parent does not run between fork and exec
  std::string_view about;
  std::unique_ptr<Backend> (*make)();
};
std::span<const BackendRow> backends();
/// Null when there is none of that name.
const BackendRow* find_backend(std::string_view key);

}  // namespace forkproof::spawn
