#include "harness/core/proc_root.h"

#include <sys/mount.h>
#include <unistd.h>

#include "harness/core/error.h"

namespace forkproof {
namespace {

struct Pinned {
  Fd root;
  int owner = 0;  ///< a forked child may have closed the descriptor, or given its number to another file
};
Pinned pinned;

struct Place {
  int folder;
  const char* path;
};

Place place_of(const std::string& path) {
  constexpr std::size_t prefix = sizeof "/proc" - 1;
  if (!pinned.root || pinned.owner != ::getpid()) return {AT_FDCWD, path.c_str()};
  return {pinned.root.get(), path.size() > prefix + 1 ? path.c_str() + prefix + 1 : "."};
}

/// An instance of its own: a remount of /proc does not reach it. Empty where the kernel or a filter refuses
/// it.
Fd detached_instance() {
  const Fd context(::fsopen("proc", FSOPEN_CLOEXEC));
  if (!context || ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return Fd();
  return Fd(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

}  // namespace

void pin_proc() {
  Fd root = detached_instance();
  if (!root) root.reset(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) fail("open /proc");
  pinned.root = std::move(root), pinned.owner = ::getpid();
}

Fd open_proc(const std::string& path, int flags) {
  const Place place = place_of(path);
  return Fd(::openat(place.folder, place.path, flags | O_CLOEXEC));
}

DIR* open_proc_folder(const std::string& path) {
  Fd folder = open_proc(path, O_RDONLY | O_DIRECTORY);
  return folder ? ::fdopendir(folder.release()) : nullptr;
}

int stat_proc(const std::string& path, struct stat* about, int flags) {
  const Place place = place_of(path);
  return ::fstatat(place.folder, place.path, about, flags);
}

std::string proc_link(const std::string& path) {
  const Place place = place_of(path);
  char target[4096];
  const ssize_t size = ::readlinkat(place.folder, place.path, target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

ProcText::ProcText(const std::string& path) {
  const Fd file = open_proc(path);
  std::string text;
  char block[4096];
  for (ssize_t got; file && (got = ::read(file.get(), block, sizeof block)) > 0;) {
    text.append(block, static_cast<std::size_t>(got));
  }
  str(text);
}

}  // namespace forkproof
