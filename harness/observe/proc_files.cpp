#include "harness/observe/proc_files.h"

#include <unistd.h>

#include <cstdlib>

#include "harness/core/proc_root.h"

namespace forkproof::observe {
namespace {

std::string path_of(Pid pid, const std::string& file) { return "/proc/" + std::to_string(pid) + "/" + file; }

}  // namespace

std::string proc_text(Pid pid, const std::string& file) { return ProcText(path_of(pid, file)).str(); }

std::vector<std::string> proc_lines(Pid pid, const std::string& file, const std::string& key) {
  ProcText text(path_of(pid, file));
  std::vector<std::string> found;
  for (std::string line; std::getline(text, line);) {
    if (line.rfind(key, 0) == 0) found.push_back(line.substr(key.size()));
  }
  return found;
}

std::vector<int> proc_numbers(Pid pid, const std::string& folder) {
  std::vector<int> numbers;
  DIR* directory = open_proc_folder(path_of(pid, folder));
  if (directory == nullptr) return numbers;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') numbers.push_back(std::atoi(entry->d_name));
  }
  ::closedir(directory);
  return numbers;
}

}  // namespace forkproof::observe
