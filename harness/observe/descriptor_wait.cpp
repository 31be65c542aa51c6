#include "harness/observe/descriptor_wait.h"

#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "harness/core/duration.h"
#include "harness/observe/holders.h"
#include "harness/observe/proc_files.h"

namespace forkproof::observe {
namespace {

constexpr int deepest_set = 4;  // epoll sets within epoll sets

/// The channel that a name of /proc/PID/fd stands for; inode 0 when it is none.
Channel channel_named(const std::string& name) {
  unsigned long inode = 0;
  if (std::sscanf(name.c_str(), "pipe:[%lu]", &inode) == 1) return {false, inode};
  if (std::sscanf(name.c_str(), "socket:[%lu]", &inode) == 1) return {true, inode};
  return {};
}

/// A number in fdinfo; 0 when there is none.
long number_in(Pid pid, int fd, const char* key) {
  const auto lines = descriptor_details(pid, fd, key);
  return lines.empty() ? 0 : std::strtol(lines.front().c_str(), nullptr, 10);
}

void add_channel(Pid pid, const Channel& channel, const Awaited& awaited, const std::string& words, const Surroundings& around,
                 std::vector<Source>* all) {
  if (channel.socket && !around.channels.is_paired(channel)) return all->push_back(Source::untold("something on " + words));
  bool input = awaited.input, room = awaited.room;
  if (!channel.socket) {
    // Of a pipe's writing end nothing can be read: what is reported there is room, or that nobody reads any more.
    const Ends ends = ends_of(pid, awaited.fd);
    if (!ends.reads && ends.writes) input = false, room = true;
    if (ends.reads && !ends.writes) input = true, room = false;
  }
  if (input) all->push_back({Source::Kind::channel, words, {}, channel, false, 0});
  if (room) all->push_back({Source::Kind::channel, words, {}, channel, true, 0});
}

Source on_timer(const Standing& standing, int fd, const Surroundings& around) {
  long seconds = 0, nanoseconds = 0, every_seconds = 0, every_nanoseconds = 0;
  const auto value = descriptor_details(standing.pid, fd, "it_value:"), interval = descriptor_details(standing.pid, fd, "it_interval:");
  if (value.empty() || interval.empty()) return Source::untold(fmt::format("a timer (fd {})", fd));
  std::sscanf(value.front().c_str(), " (%ld, %ld)", &seconds, &nanoseconds);
  std::sscanf(interval.front().c_str(), " (%ld, %ld)", &every_seconds, &every_nanoseconds);
  if (seconds == 0 && nanoseconds == 0) {
    Source source{Source::Kind::object, fmt::format("a timer that is not set (fd {})", fd), {standing.pid}, {}, false, 0};
    for (const auto& [pid, other] : around.everyone) {
      if (pid != standing.pid && !other.timerfds.empty()) source.by.push_back(pid);
    }
    return source;
  }
  const Nanos every = std::chrono::seconds(every_seconds) + Nanos(every_nanoseconds);
  const Nanos left = std::chrono::seconds(seconds) + Nanos(nanoseconds);
  return {Source::Kind::time,
          every > Nanos{} ? fmt::format("a timer that goes off again and again, every {} (fd {})", text(every), fd)
                          : fmt::format("a timer, in {} (fd {})", text(left), fd),
          {}, {}, false, 0};
}

/// An eventfd is told from others by its id. The kernel itself writes to one for io_uring and aio.
Source on_eventfd(const Standing& standing, int fd, const Surroundings& around) {
  const std::string words = fmt::format("an event on fd {} (eventfd)", fd);
  const auto id = descriptor_details(standing.pid, fd, "eventfd-id:");
  if (id.empty()) return Source::untold(words);
  Source source{Source::Kind::object, words, {}, {}, false, 0};
  for (const auto& [pid, other] : around.everyone) {
    const bool has_it = std::any_of(other.eventfds.begin(), other.eventfds.end(), [&, holder = pid](int its) {
      return descriptor_details(holder, its, "eventfd-id:") == id;
    });
    if (!has_it) continue;
    if (other.io_uring || proc_text(pid, "maps").find("/[aio]") != std::string::npos || pid == around.root) return Source::untold(words);
    source.by.push_back(pid);
  }
  return source;
}

Source on_pidfd(const Standing& standing, int fd, const Surroundings& around) {
  const Pid pid = static_cast<Pid>(number_in(standing.pid, fd, "Pid:"));
  if (pid <= 0 || !around.everyone.contains(pid)) return Source::untold(fmt::format("the end of the process of pidfd {}", fd));
  return {Source::Kind::process, fmt::format("pidfd {}", fd), {pid}, {}, false, 0};
}

Source on_signalfd(Pid pid, int fd) {
  const auto lines = descriptor_details(pid, fd, "sigmask:");
  const unsigned long long set = lines.empty() ? ~0ULL : std::strtoull(lines.front().c_str(), nullptr, 16);
  return {Source::Kind::signal, fmt::format("a signal that it collects with fd {} ({})", fd, signals_in(set)), {}, {}, false, set};
}

void add_sources(const Standing& standing, const Awaited& awaited, const Surroundings& around, int depth, std::vector<Source>* all) {
  const std::string name = awaited.fd < 0 ? "" : descriptor_name(standing.pid, awaited.fd);
  const std::string words = fmt::format("{} (fd {})", name, awaited.fd);
  if (awaited.fd < 0) return all->push_back(Source::untold("a descriptor that it has closed, and whose file is still in the set"));
  if (const Channel channel = channel_named(name); channel.inode != 0) return add_channel(standing.pid, channel, awaited, words, around, all);
  if (name == "anon_inode:[pidfd]") return all->push_back(on_pidfd(standing, awaited.fd, around));
  if (name == "anon_inode:[timerfd]") return all->push_back(on_timer(standing, awaited.fd, around));
  if (name == "anon_inode:[eventfd]") return all->push_back(on_eventfd(standing, awaited.fd, around));
  if (name == "anon_inode:[signalfd]") return all->push_back(on_signalfd(standing.pid, awaited.fd));
  if (name == "anon_inode:[eventpoll]" && depth < deepest_set) {
    for (const Awaited& member : in_epoll_set(standing.pid, awaited.fd)) add_sources(standing, member, around, depth + 1, all);
    return;
  }
  if (name.empty()) return all->push_back(Source::untold(fmt::format("fd {}, which is closed by now", awaited.fd)));
  all->push_back(Source::untold(fmt::format("something on fd {} ({})", awaited.fd, name)));
}

/// Whether this descriptor still is the file that the set holds under its number (kcmp).
bool is_target(Pid pid, int epoll, int fd, unsigned nth) {
  struct {
    std::uint32_t efd, tfd, toff;
  } slot{static_cast<std::uint32_t>(epoll), static_cast<std::uint32_t>(fd), nth};
  return ::syscall(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, static_cast<unsigned long>(fd), &slot) == 0;
}

}  // namespace

std::vector<Awaited> in_epoll_set(Pid pid, int epoll) {
  std::vector<Awaited> all;
  std::map<int, unsigned> seen;
  for (const std::string& line : descriptor_details(pid, epoll, "tfd:")) {
    int fd = -1;
    unsigned events = 0;
    if (std::sscanf(line.c_str(), "%d events: %x", &fd, &events) != 2) continue;
    if ((events & (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) == 0) continue;  // EPOLLONESHOT has fired
    const bool is_still = is_target(pid, epoll, fd, seen[fd]++);
    all.push_back({is_still ? fd : -1, (events & ~static_cast<unsigned>(EPOLLOUT)) != 0, (events & EPOLLOUT) != 0});
  }
  std::sort(all.begin(), all.end(), [](const Awaited& a, const Awaited& b) { return a.fd < b.fd; });
  return all;
}

std::string words_for(Pid pid, const Awaited& awaited) {
  if (awaited.fd < 0) return "a descriptor that it has closed";
  const std::string name = descriptor_name(pid, awaited.fd);
  return fmt::format("fd {} ({})", awaited.fd, name.empty() ? "closed" : name);
}

std::vector<Source> sources_of(const Standing& standing, const Awaited& awaited, const Surroundings& around) {
  std::vector<Source> all;
  add_sources(standing, awaited, around, 0, &all);
  return all;
}

}  // namespace forkproof::observe
