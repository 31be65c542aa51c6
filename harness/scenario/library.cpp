#include "harness/scenario/library.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/core/error.h"

namespace forkproof::scenario {

namespace fs = std::filesystem;

std::string library_directory() {
  if (const char* named = std::getenv("FORKPROOF_SCENARIOS"); named != nullptr && *named != '\0') {
    if (fs::is_directory(named)) return named;
    throw BadInput(std::string("FORKPROOF_SCENARIOS=") + named + " is no directory");
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

Named find_scenario(const std::string& asked) {
  const std::size_t extension = asked.find(".toml");
  if (extension != std::string::npos) {
    const std::size_t end = extension + 5;
    const std::string path = asked.substr(0, end);
    if (!fs::is_regular_file(path)) throw BadInput(path + ": no such file");
    return {path, end < asked.size() ? asked.substr(end + 1) : ""};
  }
  const std::size_t slash = asked.find('/');
  const std::string name = asked.substr(0, slash);
  const std::string directory = library_directory();
  const std::string path = directory + "/" + name + ".toml";
  if (fs::is_regular_file(path)) return {path, slash == std::string::npos ? "" : asked.substr(slash + 1)};
  const std::string near = nearest(name, names_in(directory));
  throw BadInput("no scenario '" + name + "' in " + directory +
                 (near.empty() ? "; `repro list` shows them" : " (did you mean '" + near + "'?)"));
}

}  // namespace forkproof::scenario
