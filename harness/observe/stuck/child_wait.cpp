// wait4() or waitid() for a child that was itself found stuck. As certain as what was found of the child, if this
// process has one thread and no handler: then nobody else in it could end the child. A child whose end is under way is
// none: whoever kills and then waits does right.
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/observe/namespaces.h"
#include "harness/observe/proc.h"
#include "harness/observe/stuck/kind.h"

namespace forkproof::observe {
namespace {

/// Whom the call waits for; empty when it would not wait, or waits for something else.
std::vector<int> waited_for(const Glance& glance) {
  const unsigned long* a = glance.main.arguments;
  const bool wait4 = glance.main.number == SYS_wait4;
  if (!wait4 && glance.main.number != SYS_waitid) return {};
  if ((a[wait4 ? 2 : 3] & WNOHANG) != 0) return {};
  const int one = static_cast<int>(wait4 ? a[0] : a[1]);
  const std::vector<int> children = children_of(glance.pid);
  // The number counts in the process's own PID namespace.
  if (wait4 ? one > 0 : a[0] == P_PID) {
    const Pid child = process_called(glance.pid, one, children);
    return child > 0 ? std::vector<int>{child} : std::vector<int>{};
  }
  const bool anyone = wait4 ? one == -1 : a[0] == P_ALL;
  return anyone ? children : std::vector<int>{};
}

/// Found stuck, and no signal has come to end that since.
bool still_stuck(const Glance& glance, Pid child) {
  Thread main;
  const auto look = look_at(child);
  if (!glance.found.contains(child) || !look || look->entry.doomed || !main_thread(child, &main) || !main.blocked) return false;
  const auto pending = [child](const char* key) { return std::strtoull(status_field(child, key).c_str(), nullptr, 16); };
  return (pending("SigPnd") | pending("ShdPnd")) == 0;
}

}  // namespace

std::optional<Symptom> child_wait(const Glance& glance) {
  if (!glance.main.blocked) return std::nullopt;
  const std::vector<int> children = waited_for(glance);
  if (children.empty()) return std::nullopt;
  // It waits during all that is looked at between these two.
  const auto switches = switches_of(glance.pid, glance.pid);
  if (!std::all_of(children.begin(), children.end(), [&](int pid) { return still_stuck(glance, pid); })) return std::nullopt;
  Thread main;
  const bool waits_still = main_thread(glance.pid, &main) && main.text == glance.main.text;
  if (!switches || !waits_still || switches != switches_of(glance.pid, glance.pid)) return std::nullopt;
  const auto& found = glance.found;
  const bool sure = std::all_of(children.begin(), children.end(), [&](int pid) { return found.at(pid).proved; }) &&
                    threads_of(glance.pid).size() == 1 && !a_handler_could_run(glance.pid);
  const int first = children.front();
  return Symptom{sure, fmt::format("it waits for the end of {}pid {}, which is stuck ({})",
                                   children.size() > 1 ? fmt::format("{} children, the first ", children.size()) : "child ",
                                   first, found.at(first).how), {}};
}

}  // namespace forkproof::observe
