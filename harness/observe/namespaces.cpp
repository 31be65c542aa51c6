#include "harness/observe/namespaces.h"

#include <cstdlib>
#include <sstream>

#include "harness/observe/proc.h"
#include "harness/observe/proc_files.h"

namespace forkproof::observe {
namespace {

/// From the namespace of /proc down to its own; empty when it is gone.
std::vector<int> numbers_in(Pid pid, const std::string& file) {
  const auto lines = proc_lines(pid, file, "NSpid:");
  std::istringstream text(lines.empty() ? "" : lines.front());
  std::vector<int> numbers;
  for (int number = 0; text >> number;) numbers.push_back(number);
  return numbers;
}

bool has_thread_called(Pid pid, std::size_t level, int tid) {
  for (const int thread : proc_numbers(pid, "task")) {
    const auto numbers = numbers_in(pid, "task/" + std::to_string(thread) + "/status");
    if (numbers.size() == level && numbers.back() == tid) return true;
  }
  return false;
}

}  // namespace

bool in_nested_pid_namespace(Pid pid) { return numbers_in(pid, "status").size() > 1; }

Pid process_called(Pid speaker, int number, const std::vector<Pid>& candidates) {
  const std::size_t level = numbers_in(speaker, "status").size();
  for (const Pid candidate : candidates) {
    // A child may be in a namespace further down; in its parent's it has a number all the same.
    const auto numbers = numbers_in(candidate, "status");
    if (level > 0 && numbers.size() >= level && numbers[level - 1] == number) return candidate;
  }
  return 0;
}

Pid process_with_thread(Pid speaker, int tid, const std::vector<Pid>& candidates) {
  if (tid <= 0) return 0;
  const std::size_t level = numbers_in(speaker, "status").size();
  if (has_thread_called(speaker, level, tid)) return speaker;
  const ino_t world = pid_namespace_of(speaker);
  for (const Pid candidate : candidates) {
    if (candidate == speaker || world == 0 || pid_namespace_of(candidate) != world) continue;
    if (has_thread_called(candidate, level, tid)) return candidate;
  }
  return 0;
}

}  // namespace forkproof::observe
