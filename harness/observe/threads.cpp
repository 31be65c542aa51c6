#include "harness/observe/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

bool read_call(const char* path, Thread* thread) {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) return false;
  text[got] = '\0';
  unsigned long* a = thread->arguments;
  const int fields = std::sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &thread->number, a, a + 1, a + 2, a + 3, a + 4, a + 5);
  thread->blocked = fields >= 1;  // "running" otherwise
  return true;
}

/// By its line in maps: "rw-p" is private, "rw-s" shared.
bool in_private_mapping(Pid pid, unsigned long address) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    char rights[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, rights) != 3) continue;
    if (address >= from && address < to) return rights[3] == 'p';
  }
  return false;
}

}  // namespace

std::vector<Thread> threads_of(Pid pid) {
  std::vector<Thread> threads;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  DIR* directory = ::opendir(folder.c_str());
  if (directory == nullptr) return threads;
  while (const dirent* entry = ::readdir(directory)) {
    Thread thread;
    thread.tid = std::atoi(entry->d_name);
    if (thread.tid > 0 && read_call((folder + "/" + entry->d_name + "/syscall").c_str(), &thread)) {
      threads.push_back(thread);
    }
  }
  ::closedir(directory);
  return threads;
}

bool only_thread(Pid pid, Thread* thread) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/syscall", pid);
  thread->tid = pid;
  return read_call(path, thread);
}

bool waits_for_ever_on_private_futex(Pid pid, const Thread& thread) {
  if (!thread.blocked || thread.number != SYS_futex) return false;
  const unsigned long operation = thread.arguments[1];
  const unsigned long command = operation & FUTEX_CMD_MASK;
  const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI;
  if (!waits || thread.arguments[3] != 0) return false;
  return (operation & FUTEX_PRIVATE_FLAG) != 0 || in_private_mapping(pid, thread.arguments[0]);
}

}  // namespace forkproof::observe
