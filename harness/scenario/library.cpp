#include "harness/scenario/library.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "harness/core/error.h"

namespace forkproof::scenario {

namespace fs = std::filesystem;

std::string library_directory() {
  if (const char* named = std::getenv("FORKPROOF_SCENARIOS"); named != nullptr && *named != '\0') {
    std::error_code error;
    if (fs::is_directory(named, error)) return named;
    throw BadInput(std::string("FORKPROOF_SCENARIOS=") + named + (error ? ": " + error.message() : " is no directory"));
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& place : {program / "scenarios", program / "../scenarios",
                                program / "../share/forkproof/scenarios", fs::path(FORKPROOF_SOURCE_SCENARIOS)}) {
    if (fs::is_directory(place / "profiles", ignored)) return fs::weakly_canonical(place, ignored).string();
  }
  throw BadInput("no scenarios/ beside the program; set FORKPROOF_SCENARIOS to the folder");
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return false;
    throw BadInput(error_text(path));
  }
  if (S_ISDIR(status.st_mode)) throw BadInput(path + ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw BadInput(path + ": is a pipe, a socket or a device, not a file");
  return true;
}

Named find_scenario(const std::string& asked) {
  const std::size_t extension = asked.find(".toml");
  if (extension != std::string::npos) {
    const std::size_t end = extension + 5;
    const std::string path = asked.substr(0, end);
    if (!is_file(path)) throw BadInput(path + ": no such file");
    return {path, end < asked.size() ? asked.substr(end + 1) : ""};
  }
  if (asked.empty()) throw BadInput("a scenario's name is empty");
  if (asked.starts_with('/') || asked.starts_with('.')) throw BadInput(asked + ": is no name; and a scenario's file ends in .toml");
  const std::size_t slash = asked.find('/');
  const std::string name = asked.substr(0, slash);
  const std::string directory = library_directory();
  const std::string path = directory + "/" + name + ".toml";
  if (is_file(path)) return {path, slash == std::string::npos ? "" : asked.substr(slash + 1)};
  const std::string near = nearest(name, names_in(directory));
  throw BadInput("no scenario '" + name + "' in " + directory +
                 (near.empty() ? "; `repro list` shows them" : " (did you mean '" + near + "'?)"));
}

}  // namespace forkproof::scenario
