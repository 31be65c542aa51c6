#include "harness/core/program_part.h"

#include <filesystem>

namespace forkproof {

std::string program_part(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path installed = folder / "../libexec/forkproof" / name;
  return !fs::exists(folder / name, ignored) && fs::exists(installed, ignored) ? installed.lexically_normal().string() : (folder / name).string();
}

}  // namespace forkproof
