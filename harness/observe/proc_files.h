#pragma once
#include <string>
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

/// A small file of /proc/PID ("status", "task/7/syscall"); empty when it is gone or may not be read.
std::string proc_text(Pid pid, const std::string& file);
/// The lines of such a file that begin with this key, without it.
std::vector<std::string> proc_lines(Pid pid, const std::string& file, const std::string& key);
/// The names in a folder of /proc/PID ("task"), as numbers.
std::vector<int> proc_numbers(Pid pid, const std::string& folder);

}  // namespace forkproof::observe
