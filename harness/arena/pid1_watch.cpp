#include "harness/arena/pid1_watch.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/core/wait_status.h"

namespace forkproof::arena {
namespace {

constexpr int signal_of_a_stop = 0xff;  // what is above it is the PTRACE_EVENT

/// PID 1's own instructions raised it, so that it would come again at once if it were dropped.
bool is_own_fault(pid_t pid, int signal) {
  siginfo_t about{};
  if (::ptrace(PTRACE_GETSIGINFO, pid, nullptr, &about) != 0 || about.si_code <= 0) return false;
  constexpr int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
  return std::find(std::begin(faults), std::end(faults), signal) != std::end(faults);
}

}  // namespace

Pid1Watch::Pid1Watch(pid_t pid1, const Heartbeat& heartbeat, bool dies_with_us)
    : pid1_(pid1),
      heartbeat_(heartbeat),
      traced_(::ptrace(PTRACE_SEIZE, pid1, nullptr, dies_with_us ? PTRACE_O_EXITKILL : 0) == 0) {}

void Pid1Watch::take_stops() {
  for (;;) {
    siginfo_t about{};
    const int told = ::waitid(P_PID, static_cast<id_t>(pid1_), &about, WSTOPPED | WNOHANG | __WALL);
    if (told != 0 || about.si_pid != pid1_) return;
    const bool in_group_stop = about.si_code != CLD_TRAPPED || about.si_status >> 8 == PTRACE_EVENT_STOP;
    stopped_at(about.si_status & signal_of_a_stop, !in_group_stop);
  }
}

void Pid1Watch::stopped_at(int signal, bool at_delivery) {
  // SIGTRAP here is the kernel's notice of a SIGCONT: to answer it with another one would never end.
  if (!at_delivery && signal != SIGTRAP) ::kill(pid1_, SIGCONT);
  if (!traced_) return;
  if (at_delivery && is_own_fault(pid1_, signal)) return deliver_fault(signal);
  ::ptrace(PTRACE_CONT, pid1_, nullptr, 0L);
}

/// Once, for a handler (a sanitizer's). PID 1 of a namespace without a handler would meet it again for ever.
void Pid1Watch::deliver_fault(int signal) {
  if (!std::exchange(fault_delivered_, true)) {
    ::ptrace(PTRACE_CONT, pid1_, nullptr, static_cast<long>(signal));
    return;
  }
  complain("PID 1 of an arena died of " + signal_name(signal));
  ::kill(pid1_, SIGKILL);
}

std::string Pid1Watch::state() const {
  std::string state = "it is gone", tracer;
  ProcText status("/proc/" + std::to_string(pid1_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("State:\t")) state = line.substr(7);
    if (line.starts_with("TracerPid:\t")) tracer = line.substr(11);
  }
  const bool foreign = !traced_ && !tracer.empty() && tracer != "0";
  return state + (foreign ? ", traced by pid " + tracer : "");
}

/// Looks are counted, not seconds: while the keeper itself does not run, nothing is held against PID 1.
std::string Pid1Watch::look() {
  const std::uint64_t beats = heartbeat_.beats();
  if (beats == 0 || std::exchange(last_beats_, beats) != beats) looks_without_beat_ = 0;
  else ++looks_without_beat_;
  if (looks_without_beat_ < most_looks_without_beat) return {};
  const std::string now = state();
  const bool works_or_has_ended = now.starts_with("R") || now.starts_with("D") || now.starts_with("Z");
  if (works_or_has_ended) return {};
  return "PID 1 of the arena has not moved for " + std::to_string(looks_without_beat_) + " s (" + now +
         "): the arena is ended";
}

}  // namespace forkproof::arena
