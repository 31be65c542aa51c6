#include "harness/observe/alarms.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "harness/core/proc_root.h"

namespace forkproof::observe {
namespace {

/// The kernel lists timers by their place in a queue, one at a time: a timer that ends meanwhile moves the next one up, out of
/// sight. So the file is read several times.
constexpr int readings = 4;

/// Each with its (scrambled) address and the time at which it goes off. Empty where they may not be read.
std::optional<std::set<std::string>> alarms_in_one_reading() {
  const Fd file = open_proc("/proc/timer_list");
  std::string text;
  char block[16384];
  for (ssize_t got; file && (got = ::read(file.get(), block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(got));
  if (text.find("active timers") == std::string::npos) return std::nullopt;
  std::set<std::string> all;
  std::istringstream lines(text);
  for (std::string line, expiry; std::getline(lines, line);) {
    const std::size_t address = line.find('<');
    if (line.find("it_real_fn") == std::string::npos || !std::getline(lines, expiry)) continue;
    all.insert(line.substr(std::min(address, line.size())) + expiry.substr(0, expiry.find(" [in")));
  }
  return all;
}

std::optional<std::set<std::string>> alarms() {
  std::optional<std::set<std::string>> all = alarms_in_one_reading();
  for (int i = 1; all && i < readings; ++i) {
    auto more = alarms_in_one_reading();
    if (!more) return std::nullopt;
    all->merge(*more);
  }
  return all;
}

std::set<std::string>& remembered() {
  static std::set<std::string> all;
  return all;
}

}  // namespace

void remember_alarms() { remembered() = alarms().value_or(std::set<std::string>{}); }

bool an_alarm_may_be_set() {
  const auto now = alarms();
  return !now || !std::includes(remembered().begin(), remembered().end(), now->begin(), now->end());
}

}  // namespace forkproof::observe
