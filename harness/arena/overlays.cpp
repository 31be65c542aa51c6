#include "harness/arena/overlays.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/core/error.h"
#include "harness/core/fd.h"

namespace forkproof::arena {
namespace {

// Where the tmpfs stands while files are taken from it: the one mount point that is surely there and surely ours.
constexpr char workshop[] = "/proc";

std::string make_file(const Overlay& overlay, std::size_t number) {
  const std::string path = workshop + ("/" + std::to_string(number));
  if (overlay.is_fifo) {
    if (::mkfifo(path.c_str(), 0644) != 0) fail("mkfifo for " + overlay.path);
  } else {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    const auto size = static_cast<ssize_t>(overlay.contents.size());
    if (!file || ::write(file.get(), overlay.contents.data(), overlay.contents.size()) != size) {
      fail("write the arena's " + overlay.path);
    }
  }
  if (::chmod(path.c_str(), 0644) != 0) fail("chmod of the arena's " + overlay.path);  // whatever the umask is
  return path;
}

}  // namespace

void mount_overlays(std::span<const Overlay> overlays) {
  if (overlays.empty()) return;
  if (::mount("tmpfs", workshop, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0) fail("mount a tmpfs");
  for (std::size_t i = 0; i < overlays.size(); ++i) {
    const std::string made = make_file(overlays[i], i);
    if (::mount(made.c_str(), overlays[i].path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      fail("mount over " + overlays[i].path);
    }
  }
  // The files live on in their bind mounts; /proc is /proc again.
  if (::umount2(workshop, MNT_DETACH) != 0) fail("detach the tmpfs");
}

}  // namespace forkproof::arena
