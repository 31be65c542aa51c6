#include "harness/fuzz/found.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/write_all.h"

namespace forkproof::fuzz {

std::string save_found(const std::string& folder, const std::string& name, const std::string& text) {
  std::error_code refused;
  std::filesystem::create_directories(folder, refused);
  if (refused) refuse_place(folder, refused.value());
  const std::string path = folder + "/" + name + ".toml";
  const std::string temporary = fmt::format("{}/.{}.{}.tmp", folder, name, ::getpid());
  const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) refuse_place(temporary);
  const bool whole = write_all(file.get(), text) && ::fsync(file.get()) == 0 &&
                     std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!whole) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail(path, error);
  }
  // The new name is on the disk only when its folder is.
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) fail(folder);
  return path;
}

}  // namespace forkproof::fuzz
