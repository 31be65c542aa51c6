#include "harness/run/task_output.h"

#include <cstring>
#include <string>

#include "harness/core/task_letters.h"

namespace forkproof::run {

void TaskOutputMeter::read(std::string_view bytes) {
  while (!bytes.empty()) {
    if (run_ == 0) {
      const std::size_t next = bytes.find(task_letter);
      if (next == std::string_view::npos) return;
      bytes.remove_prefix(next);
    }
    const std::size_t end = std::min(bytes.find_first_not_of(task_letter), bytes.size());
    const std::uint64_t before = run_;
    run_ += end;
    if (run_ >= least_task_letters) bytes_ += before >= least_task_letters ? end : run_;
    bytes.remove_prefix(end);
    if (!bytes.empty()) run_ = 0;
  }
}

bool is_of_the_task(std::string_view line) {
  return line.find(std::string(least_task_letters, task_letter)) != std::string_view::npos;
}

}  // namespace forkproof::run
