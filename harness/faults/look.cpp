#include "harness/faults/look.h"

#include <sys/syscall.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "harness/core/proc_root.h"
#include "harness/core/proc_stat.h"

namespace forkproof::faults {
namespace {

std::string first_line(Pid pid, const char* file) {
  ProcText stream("/proc/" + std::to_string(pid) + "/" + file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-1"; 0 for anything else.
int real_time_signal(const std::string& word) {
  const int base = word.starts_with("SIGRTMIN") ? SIGRTMIN : word.starts_with("SIGRTMAX") ? SIGRTMAX : 0;
  if (base == 0) return 0;
  const std::string rest = word.substr(8);
  const bool is_number = rest.size() > 1 && rest.size() < 4 && rest.find_first_not_of("0123456789", 1) == std::string::npos;
  const bool points_inside = !rest.empty() && rest[0] == (base == SIGRTMIN ? '+' : '-');
  if (!rest.empty() && (!is_number || !points_inside)) return 0;
  const int signal = base + (rest.empty() ? 0 : std::atoi(rest.c_str()));
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : 0;
}

}  // namespace

char state_of(Pid pid) {
  const std::string line = first_line(pid, "stat");
  const auto stat = parse_proc_stat(line.c_str());
  return stat ? stat->state : '?';
}

std::string resting_place(Pid pid) {
  const char state = state_of(pid);
  if (state == 'T') return "stopped";
  if (state != 'S' && state != 'D') return {};
  const std::string call = first_line(pid, "syscall");
  if (call.empty()) return "asleep";
  return call[0] == 'r' ? "" : call;  // "running"
}

bool waits_for_the_rig(const std::string& place) {
  if (place.empty() || place[0] < '0' || place[0] > '9') return false;
  const long number = std::strtol(place.c_str(), nullptr, 10);
  return number == SYS_connect || number == SYS_sendmsg || number == SYS_recvfrom;  // as core/sync_point announces
}

std::uint64_t signal_mask_of(Pid pid, const std::string& key) {
  ProcText status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::strtoull(line.c_str() + key.size() + 1, nullptr, 16);
  }
  return 0;
}

bool is_pending(Pid pid, int signal) {
  return ((signal_mask_of(pid, "SigPnd") | signal_mask_of(pid, "ShdPnd")) & (1ULL << (signal - 1))) != 0;
}

int signal_from(const std::string& word) {
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    if (signal_name(signal) == word) return signal;
  }
  if (word == "SIGIOT") return SIGABRT;
  if (word == "SIGPOLL") return SIGIO;
  if (word == "SIGCLD") return SIGCHLD;
  return real_time_signal(word);
}

bool Rest::look(Pid pid) {
  const std::string now = resting_place(pid);
  return now == std::exchange(place_, now) && !now.empty();
}

}  // namespace forkproof::faults
