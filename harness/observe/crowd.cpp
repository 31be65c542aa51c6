#include "harness/observe/crowd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

/// The last pid that was given in the reader's PID namespace; 0 when it cannot be read.
Pid last_pid_given() {
  const Fd file = open_proc("/proc/loadavg");
  char text[128] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;
  const char* last = std::strrchr(text, ' ');
  return last != nullptr ? std::atoi(last) : 0;
}

}  // namespace

std::optional<std::size_t> Crowd::too_many() {
  const Pid last = last_pid_given();
  const bool wrapped = last < last_pid_;
  if (last > 0 && !wrapped && counted_ + static_cast<std::size_t>(last - last_pid_) <= limit_) return std::nullopt;
  counted_ = everybody(sealed_, root_).size();
  last_pid_ = last;
  if (counted_ <= limit_) return std::nullopt;
  return counted_;
}

}  // namespace forkproof::observe
