#include "harness/observe/computing.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

constexpr std::uint64_t looks_between_reads = 16;
constexpr std::uint64_t looks_before_it_counts = 4;  // nearly every process is seen to run now and then

struct CpuTime {
  char state = '?';
  Nanos user{}, system{};
  std::uint64_t system_ticks = 0;
};

std::string first_line(const std::string& path) {
  ProcText file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Of /proc/PID or of /proc/PID/task/TID.
std::optional<CpuTime> cpu_time(const std::string& folder) {
  const std::string line = first_line(folder + "/stat");
  const auto stat = parse_proc_stat(line.c_str());
  if (!stat) return std::nullopt;
  const auto second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return CpuTime{stat->state, from_seconds(static_cast<double>(stat->user_ticks) / second),
                 from_seconds(static_cast<double>(stat->system_ticks) / second), stat->system_ticks};
}

std::string thread_folder(Pid pid, int tid) { return fmt::format("/proc/{}/task/{}", pid, tid); }

/// Read and write calls of a process (`man 5 proc`, io); 0 where the kernel does not count them.
std::uint64_t transfers_of(Pid pid) {
  ProcText file(fmt::format("/proc/{}/io", pid));
  std::uint64_t sum = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("syscr:") || line.starts_with("syscw:")) sum += std::strtoull(line.c_str() + 6, nullptr, 10);
  }
  return sum;
}

std::string in_all(const CpuTime& time) {
  const std::string system = time.system > Nanos{} ? fmt::format(", {} of it in the kernel", text(time.system)) : "";
  return fmt::format("running: {} of CPU time since its start{}", text(time.user + time.system), system);
}

/// A thread beside the main one that runs now; 0 when there is none.
int other_that_runs(Pid pid) {
  for (const Thread& thread : threads_of(pid)) {
    if (thread.tid == pid || thread.blocked) continue;
    const auto time = cpu_time(thread_folder(pid, thread.tid));
    if (time && time->state == 'R') return thread.tid;
  }
  return 0;
}

}  // namespace

/// Time in the kernel counts as system calls, but for what interrupts and page faults take: one tick, and one of fifty.
bool Computing::Counters::only_ran_since(const Counters& before) const {
  const auto tick = from_seconds(1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  const auto ticks = static_cast<std::uint64_t>((ran - before.ran) / tick);
  const bool few = system_ticks <= before.system_ticks + 1 + ticks / 50;
  return few && pauses == before.pauses && transfers == before.transfers;
}

bool Computing::read(Pid pid, Counters* counters) {
  const std::string folder = thread_folder(pid, pid);
  const auto time = cpu_time(folder);
  unsigned long long ran = 0;
  if (!time || std::sscanf(first_line(folder + "/schedstat").c_str(), "%llu", &ran) != 1) return false;
  const std::string pauses = status_field(pid, "voluntary_ctxt_switches");
  *counters = {Nanos(ran), time->system_ticks, std::strtoull(pauses.c_str(), nullptr, 10), transfers_of(pid)};
  return true;
}

void Computing::look(Pid pid, bool blocked, std::uint64_t looks) {
  if (blocked) computes_ = false;
  if (blocked || (computes_ ? looks % looks_between_reads != 0 : looks < looks_before_it_counts)) return;
  Counters now;
  const bool told = read(pid, &now);
  if (computes_ && told && now.only_ran_since(began_)) return;
  computes_ = told, began_ = now;
}

Nanos Computing::so_far(Pid pid) const {
  Counters now;
  const bool still = computes_ && read(pid, &now) && now.only_ran_since(began_);
  return still ? now.ran - began_.ran : Nanos{};
}

std::string running_text(Pid pid, const Computing& main) {
  const auto time = cpu_time(thread_folder(pid, pid));
  if (time && time->state == 'R') {
    const Nanos computed = main.so_far(pid);
    if (computed > Nanos{}) return fmt::format("running: {} of CPU time, no system call seen", text(computed));
    return in_all(*time);
  }
  const int other = time ? other_that_runs(pid) : 0;
  const auto its = other > 0 ? cpu_time(thread_folder(pid, other)) : std::nullopt;
  return its ? fmt::format("running (its thread {}): {}", other, in_all(*its).substr(std::strlen("running: "))) : "";
}

}  // namespace forkproof::observe
