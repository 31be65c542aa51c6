// A spin lock whose owner is gone looks so: always running, all its time spent in its own code, never a switch that it
// asked for. An honest computation looks the same, so this is never a proof.
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"
#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {
namespace {

struct CpuTime {
  Nanos user{}, system{};
};
CpuTime cpu_time(Pid pid) {
  ProcText file(fmt::format("/proc/{0}/task/{0}/stat", pid));
  std::string stat;
  std::getline(file, stat);
  const auto read = parse_proc_stat(stat.c_str());
  if (!read) return {};
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {from_seconds(static_cast<double>(read->user_ticks) / ticks), from_seconds(static_cast<double>(read->system_ticks) / ticks)};
}

std::uint64_t switches_asked_for(Pid pid) {
  return std::strtoull(status_field(pid, "voluntary_ctxt_switches").c_str(), nullptr, 10);
}

}  // namespace

std::optional<Symptom> spinning(const Glance& glance) {
  constexpr Nanos a_while = std::chrono::milliseconds(300);
  if (glance.main.blocked || !glance.now_and_then()) return std::nullopt;
  const CpuTime now = cpu_time(glance.pid);
  const std::uint64_t switches = switches_asked_for(glance.pid);
  Memory& before = glance.memory;
  // Time in the kernel counts as system calls: a whole tick of it starts the count anew.
  if (!before.set || before.count != switches + static_cast<std::uint64_t>(now.system.count())) {
    before = {true, now.user, switches + static_cast<std::uint64_t>(now.system.count())};
    return std::nullopt;
  }
  if (now.user - before.cpu_time < a_while) return std::nullopt;
  return Symptom{false, fmt::format("it has computed for {} without a system call and without a pause",
                                    text(now.user - before.cpu_time)), {}};
}

}  // namespace forkproof::observe
