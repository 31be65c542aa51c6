#include "harness/observe/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/core/fd.h"
#include "harness/core/proc_root.h"

namespace forkproof::observe {
namespace {

bool read_call(const std::string& path, Thread* thread) {
  const Fd file = open_proc(path);
  char text[256];
  errno = file ? 0 : errno;
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) return false;
  text[got] = '\0';
  unsigned long* a = thread->arguments;
  const int fields = std::sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &thread->number, a, a + 1, a + 2, a + 3, a + 4, a + 5);
  thread->blocked = fields >= 1;  // "running" otherwise
  thread->text = text;
  return true;
}

std::string field_of(const std::string& path, const std::string& key) {
  ProcText status(path);
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return line.substr(std::min(line.size(), line.find_first_not_of(": \t", key.size())));
  }
  return {};
}

/// By its line in maps: "rw-p" is private, "rw-s" shared.
bool in_private_mapping(Pid pid, unsigned long address) {
  ProcText maps("/proc/" + std::to_string(pid) + "/maps");
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
  DIR* directory = open_proc_folder(folder);
  if (directory == nullptr) return threads;
  while (const dirent* entry = ::readdir(directory)) {
    Thread thread;
    thread.tid = std::atoi(entry->d_name);
    if (thread.tid <= 0) continue;
    // Gone since: it is none any more. Whoever will not tell is counted as one that runs.
    const bool told = read_call(folder + "/" + entry->d_name + "/syscall", &thread);
    if (told || (errno != ENOENT && errno != ESRCH)) threads.push_back(thread);
  }
  ::closedir(directory);
  return threads;
}

bool main_thread(Pid pid, Thread* thread) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/syscall", pid);
  thread->tid = pid;
  return read_call(path, thread);
}

std::string memory_at(Pid pid, unsigned long address) {
  ProcText maps("/proc/" + std::to_string(pid) + "/maps");
  std::string name;
  unsigned long end_before = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    int path = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %*s %n", &from, &to, &path) != 2) continue;
    const std::string here = path > 0 ? line.substr(std::min(line.size(), static_cast<std::size_t>(path))) : "";
    // What a program has no bytes of in its file (.bss) follows its last page of the file, without a name.
    if (!here.empty() || from != end_before) name = here;
    end_before = to;
    if (address >= from && address < to) return name.substr(name.rfind('/') + 1);
  }
  return {};
}

std::string status_field(Pid pid, const std::string& key) {
  return field_of("/proc/" + std::to_string(pid) + "/status", key);
}

std::optional<std::uint64_t> switches_of(Pid pid, int tid) {
  ProcText status("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/status");
  std::uint64_t sum = 0;
  int found = 0;
  for (std::string line; std::getline(status, line);) {  // voluntary_ and nonvoluntary_
    const std::size_t key = line.find("voluntary_ctxt_switches:");
    if (key == std::string::npos) continue;
    sum += std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10);
    ++found;
  }
  return found == 2 ? std::optional(sum) : std::nullopt;
}

bool waits_for_ever_on_private_futex(Pid pid, const Thread& thread) {
  if (!thread.blocked || thread.number != SYS_futex) return false;
  const unsigned long operation = thread.arguments[1];
  const unsigned long command = operation & FUTEX_CMD_MASK;
  const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI;
  if (!waits || thread.arguments[3] != 0) return false;
  return (operation & FUTEX_PRIVATE_FLAG) != 0 || in_private_mapping(pid, thread.arguments[0]);
}

int mutex_owner(Pid pid, unsigned long futex_word) {
  int words[3] = {};
  iovec here{words, sizeof words};
  iovec there{reinterpret_cast<void*>(futex_word), sizeof words};
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof words)) return 0;
  // A locked, contended pthread mutex holds 2 in its word; anything else has no owner where this looks.
  return words[0] == 2 ? words[2] : 0;
}

Pid process_of_thread(int tid) { return tid > 0 ? std::atoi(status_field(tid, "Tgid").c_str()) : 0; }

}  // namespace forkproof::observe
