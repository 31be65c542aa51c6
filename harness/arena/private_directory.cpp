#include "harness/arena/private_directory.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

bool is_directory(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

std::string make_private_directory(const std::vector<std::string>& in_use) {
  std::string refusal = "there is none of /dev/shm, /mnt, /media, /srv that nobody uses";
  for (const std::string place : {"/dev/shm", "/mnt", "/media", "/srv"}) {
    const bool used = std::any_of(in_use.begin(), in_use.end(), [&place](const std::string& path) {
      return path == place || path.starts_with(place + "/");
    });
    if (used || !is_directory(place)) continue;
    if (::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
      refusal = error_text("mount a tmpfs over " + place);
      continue;
    }
    return make_directory_in({place});
  }
  throw HarnessFailure("a directory of the arena's own: " + refusal);
}

std::string make_directory_in(const std::vector<std::string>& places) {
  const bool has_shm = std::find(places.begin(), places.end(), "/dev/shm") != places.end();
  const std::string made = (has_shm ? std::string("/dev/shm") : places.front()) + "/forkproof";
  if (::mkdir(made.c_str(), 0755) != 0) fail("mkdir " + made);
  return made;
}

}  // namespace forkproof::arena
