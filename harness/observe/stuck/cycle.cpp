// How a circle of processes is proved: each waits for others of it, and nothing else could wake one (standstill.h has the
// words). That reads the whole arena, so it is done ever more seldom, and for those alone that have waited for a while.
#include <sys/syscall.h>

#include <fmt/format.h>

#include "harness/observe/links.h"
#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {
namespace {

constexpr std::uint64_t looks_before = 32;

/// By its system call alone: whether it may wait for other processes.
bool may_wait_for_others(const Thread& thread) {
  switch (thread.number) {
    case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_pause: case SYS_rt_sigsuspend: case SYS_rt_sigtimedwait:
    case SYS_accept: case SYS_accept4: return false;
    case SYS_poll: case SYS_ppoll: return thread.arguments[1] != 0;
    default: return thread.blocked && thread.number >= 0;
  }
}

}  // namespace

std::optional<Symptom> cycle(const Glance& glance) {
  if (glance.looks < looks_before || !glance.ever_more_seldom() || !may_wait_for_others(glance.main)) return std::nullopt;
  Standstill still(glance.sealed, glance.root);
  const std::vector<Pid> circle = still.circle_from(glance.pid);
  if (circle.empty()) return std::nullopt;
  const Namer name = [&still](Pid pid) {
    const Standing* one = still.see(pid);
    return fmt::format("pid {} ({})", pid, one == nullptr ? "gone" : one->name);
  };
  const char* nobody = circle.size() == 1 ? "nothing else could wake it" : "nothing else could wake one of them";
  return Symptom{true, fmt::format("{}: {}", in_words(still, circle, glance.root, name), nobody), {}};
}

}  // namespace forkproof::observe
