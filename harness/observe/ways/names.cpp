#include "harness/observe/ways/names.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
std::string process_name(Pid pid) {
  char path[40], text[64];
  std::snprintf(path, sizeof path, "/proc/%d/comm", pid);
  const Fd file = open_proc(path);
  const ssize_t got = file ? ::read(file.get(), text, sizeof text) : -1;
  return got > 1 ? std::string(text, static_cast<std::size_t>(got - 1)) : std::string();
}

std::string image_of(Pid pid) {
  return proc_link("/proc/" + std::to_string(pid) + "/exe");
}

std::string program_of(Pid pid) {
  const std::string name = process_name(pid), image = image_of(pid);
  const std::size_t slash = image.rfind('/');
  if (slash == std::string::npos) return name;
  constexpr std::size_t longest_name = 15;  // the kernel keeps no more of it
  if (name.empty() || image.compare(slash + 1, name.size() == longest_name ? longest_name : std::string::npos, name) == 0) return image;
  const std::string called = image.substr(0, slash + 1) + name;
  struct stat one {}, other {};
  const bool same = ::stat(image.c_str(), &one) == 0 && ::stat(called.c_str(), &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
  return same ? called : name;
}

Pid sender_as_seen_here(Pid receiver, Pid sender) {
  if (sender <= 0) return 0;
  const ino_t there = pid_namespace_of(receiver);
  if (there == pid_namespace_of(::getpid()) || there == 0) return sender;
  for (const Pid pid : everybody(true, 0)) {
    const std::string pids = status_field(pid, "NSpid");  // from ours down to its own
    const std::size_t last = pids.find_last_of("\t ");
    if (std::atoi(pids.c_str() + (last == std::string::npos ? 0 : last + 1)) == sender && pid_namespace_of(pid) == there) return pid;
  }
  return 0;
}

const char* how_sent(int code) {
  switch (code) {
    case SI_USER: return "kill";
    case SI_TKILL: return "tgkill";
    case SI_QUEUE: return "queued";
    case SI_KERNEL: return "kernel";
    case SI_TIMER: return "timer";
    case SI_MESGQ: case SI_ASYNCIO: case SI_SIGIO: return "notice";
    default: return code > 0 ? "fault" : "unknown";
  }
}

bool has_sender(int code) { return code == SI_USER || code == SI_TKILL || code == SI_QUEUE; }

}  // namespace forkproof::observe
