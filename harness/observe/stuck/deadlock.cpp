// How a deadlock is proved. Each thread of the process waits for something that only this process could bring on:
//  - a futex, without a timeout, whose word is private to the process;
//  - room in a pipe that only this process can read;
//  - a page that only a userfaultfd of this process can fill.
// All of them do so at the same moment, so none is left who could. With one thread that is the forked child which
// inherited a lock and not its owner. Excluded, since somebody else could still act: a caught signal (its handler may
// post), memory shared with another process (a vfork), a descriptor that another process has.
//
// One after the other is no moment: so all threads are read twice, and no thread may have been switched between its
// two readings. Then each was blocked from the first to the second, and all of them when the first pass was over.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/observe/holders.h"
#include "harness/observe/memory_shared.h"
#include "harness/observe/namespaces.h"
#include "harness/observe/proc.h"
#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {
namespace {

bool in_user_fault(Pid pid, const Thread& thread) {
  if (!thread.blocked || thread.number >= 0) return false;
  ProcText file(fmt::format("/proc/{}/task/{}/wchan", pid, thread.tid));
  std::string place;
  std::getline(file, place);
  return place.find("userfault") != std::string::npos;
}

bool in_pipe_write(Pid pid, const Thread& thread, std::string* pipe) {
  const bool writes = thread.blocked && (thread.number == SYS_write || thread.number == SYS_writev);
  if (writes) *pipe = descriptor_name(pid, static_cast<int>(thread.arguments[0]));
  return writes && pipe->rfind("pipe:", 0) == 0;
}

std::string explain_futex(Pid pid, const Thread& thread) {
  const std::string memory = memory_at(pid, thread.arguments[0]);
  const std::string where = fmt::format("futex {:#x}{}, private, no timeout", thread.arguments[0],
                                        memory.empty() ? "" : " of " + memory);
  const int owner = mutex_owner(pid, thread.arguments[0]);
  // The number counts in the process's own PID namespace.
  const Pid holder = process_with_thread(pid, owner, {parent_of(pid)});
  if (holder == pid) return fmt::format("a lock that thread {} of its own holds ({})", owner, where);
  if (holder > 0) return fmt::format("a lock owned by thread {}, which exists in pid {} and not here ({})", owner, holder, where);
  return "a wake-up (" + where + ")";
}

/// What a thread waits for that only this process could bring on; empty when it is something else.
std::string waits_for_own_process(const Glance& glance, const Thread& thread) {
  const Pid pid = glance.pid;
  if (waits_for_ever_on_private_futex(pid, thread)) return explain_futex(pid, thread);
  std::string pipe;
  if (in_pipe_write(pid, thread, &pipe)) {
    if (!glance.ever_more_seldom() || !nobody_else_can_read(pid, pipe)) return {};
    return fmt::format("room in {}, which it alone can read (write on descriptor {})", pipe, thread.arguments[0]);
  }
  if (in_user_fault(pid, thread)) {
    if (!glance.ever_more_seldom() || !nobody_else_can_read(pid, "anon_inode:[userfaultfd]")) return {};
    return "a page that its own userfaultfd alone could fill";
  }
  return {};
}

/// By its system call alone.
bool may_wait_for_own_process(const Thread& thread) {
  const long call = thread.number;
  return thread.blocked && (call == SYS_futex || call == SYS_write || call == SYS_writev || call < 0);
}

/// Nearly everybody is turned away here. A program with many threads whose main thread waits for them is asked at once,
/// and then now and then: each of its threads is a file to read.
bool may_be(const Glance& glance) {
  constexpr std::uint64_t at_once = 16;
  if (!may_wait_for_own_process(glance.main) || (glance.looks > at_once && !glance.now_and_then())) return false;
  const std::vector<Thread> threads = threads_of(glance.pid);
  return std::all_of(threads.begin(), threads.end(), may_wait_for_own_process);
}

struct Moment {
  std::vector<Thread> threads;
  std::vector<std::uint64_t> switches;
};
Moment read_all(Pid pid) {
  Moment moment{threads_of(pid), {}};
  for (const Thread& thread : moment.threads) moment.switches.push_back(switches_of(pid, thread.tid).value_or(0));
  return moment;
}

bool nobody_moved(const Moment& first, const Moment& second) {
  return first.switches == second.switches &&
         std::equal(first.threads.begin(), first.threads.end(), second.threads.begin(), second.threads.end(),
                    [](const Thread& a, const Thread& b) { return a.tid == b.tid && a.text == b.text; });
}

std::string explain(Pid pid, const std::vector<Thread>& threads, const std::vector<std::string>& waits) {
  if (threads.size() == 1) {
    const Pid parent = parent_of(pid);
    const std::size_t threads_of_parent = threads_of(parent).size();
    return fmt::format("its only thread waits for {}: nobody is here to give it{}", waits.front(),
                       threads_of_parent > 1 ? fmt::format("; its parent, pid {}, has {} threads", parent, threads_of_parent) : "");
  }
  constexpr std::size_t most = 4;
  std::string text = fmt::format("all {} threads wait for each other", threads.size());
  for (std::size_t i = 0; i < threads.size() && i < most; ++i) {
    text += fmt::format("{} thread {} for {}", i == 0 ? ":" : ",", threads[i].tid, waits[i]);
  }
  return text;
}

}  // namespace

std::optional<Symptom> deadlock(const Glance& glance) {
  if (!may_be(glance)) return std::nullopt;
  const Moment first = read_all(glance.pid);
  std::vector<std::string> waits;
  for (const Thread& thread : first.threads) {
    waits.push_back(waits_for_own_process(glance, thread));
    if (waits.back().empty()) return std::nullopt;
  }
  if (waits.empty() || a_handler_could_run(glance.pid) || shares_memory_with_anyone(glance.pid)) return std::nullopt;
  if (!nobody_moved(first, read_all(glance.pid))) return std::nullopt;
  return Symptom{true, explain(glance.pid, first.threads, waits), {}};
}

}  // namespace forkproof::observe
