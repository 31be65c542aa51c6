// How a deadlock is proved. Every thread of the process waits on a futex, without a timeout, and each futex word is
// private to the process: so only one of these threads could wake another, and none of them will run. With one thread
// that is the forked child which inherited a lock and not its owner. Excluded, since somebody else could still act:
// a caught signal (its handler may post), and memory shared with another process (a vfork).
#include "harness/observe/stuck.h"

#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/observe/proc.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

std::string status_field(Pid pid, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return line.substr(line.find_first_not_of(": \t", key.size()));
  }
  return {};
}

/// Signals that only the process's own instructions raise do not come to one that executes none; 32 and 33 are libc's
/// own, for cancelling and for setuid, sent by other threads of the process.
bool a_handler_could_run(Pid pid) {
  unsigned long long caught = std::strtoull(status_field(pid, "SigCgt").c_str(), nullptr, 16);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, 32, 33}) caught &= ~(1ULL << (own - 1));
  return caught != 0;
}

bool shares_memory(Pid pid, Pid other) {
  return other > 0 && ::syscall(SYS_kcmp, pid, other, KCMP_VM, 0UL, 0UL) == 0;
}

bool shares_memory_with_anyone(Pid pid) {
  if (shares_memory(pid, parent_of(pid))) return true;
  const std::vector<int> children = children_of(pid);
  return std::any_of(children.begin(), children.end(), [pid](int child) { return shares_memory(pid, child); });
}

/// The owner's thread id, which pthread and std mutexes keep 8 bytes behind the futex word; 0 when it is none.
int mutex_owner(Pid pid, unsigned long futex_word) {
  int words[3] = {};
  iovec here{words, sizeof words};
  iovec there{reinterpret_cast<void*>(futex_word), sizeof words};
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof words)) return 0;
  // A locked, contended pthread mutex holds 2 in its word; anything else has no owner where this looks.
  return words[0] == 2 ? words[2] : 0;
}

/// The process that has this thread.
Pid process_of_thread(int tid) {
  return std::atoi(status_field(tid, "Tgid").c_str());
}

std::string explain_deadlock(Pid pid, const std::vector<Thread>& threads) {
  const Thread& first = threads.front();
  const std::string where = fmt::format("futex {:#x}, private, no timeout", first.arguments[0]);
  if (threads.size() > 1) {
    return fmt::format("all {} threads wait for each other ({}): nobody is left to wake one", threads.size(), where);
  }
  const int owner = mutex_owner(pid, first.arguments[0]);
  const Pid holder = owner > 0 ? process_of_thread(owner) : 0;
  if (holder > 0 && holder != pid) {
    return fmt::format("the lock is owned by thread {}, which exists in pid {} and not here ({})", owner, holder, where);
  }
  return "its only thread waits for a wake-up that no other thread is here to give (" + where + ")";
}

}  // namespace

std::optional<Finding> StuckWatch::look(Pid pid) {
  Thread main;
  if (!only_thread(pid, &main) || !main.blocked || main.number != SYS_futex) {
    first_seen_.erase(pid);
    return std::nullopt;
  }
  const std::vector<Thread> threads = threads_of(pid);
  const bool all_wait = !threads.empty() && std::all_of(threads.begin(), threads.end(), [pid](const Thread& thread) {
    return waits_for_ever_on_private_futex(pid, thread);
  });
  if (!all_wait || a_handler_could_run(pid) || shares_memory_with_anyone(pid)) {
    first_seen_.erase(pid);
    return std::nullopt;
  }
  const auto [suspicion, is_new] = first_seen_.try_emplace(pid, Suspicion{{}, monotonic_now(), false});
  // With several threads one look is no snapshot: they are read one after the other, so a second must show the same.
  if (suspicion->second.told || (threads.size() > 1 && is_new)) return std::nullopt;
  suspicion->second.told = true;
  return Finding{"deadlock", true, suspicion->second.since, explain_deadlock(pid, threads)};
}

std::string StuckWatch::describe(Pid pid) const {
  const auto look = look_at(pid);
  if (!look) return "gone";
  const std::vector<Thread> threads = threads_of(pid);
  std::string text = fmt::format("state {}", look->entry.state);
  for (std::size_t i = 0; i < threads.size() && i < 4; ++i) {
    const Thread& thread = threads[i];
    text += !thread.blocked ? fmt::format(", thread {} runs", thread.tid)
            : thread.number < 0 ? fmt::format(", thread {} in a page fault", thread.tid)
                                : fmt::format(", thread {} in system call {}", thread.tid, thread.number);
  }
  return text;
}

}  // namespace forkproof::observe
