#include "harness/observe/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/proc_root.h"
#include "harness/observe/holders.h"

namespace forkproof::observe {
namespace {

/// Calls bind() or connect() on a fresh socket; returns its errno, 0 when it went well.
int try_port(int port, int (*call)(int, const sockaddr*, socklen_t)) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) fail("socket");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return call(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

std::vector<DescriptorHeld> holders_of(const ListenerOpened& listener) {
  std::vector<DescriptorHeld> holders;
  DIR* directory = open_proc_folder("/proc");
  if (directory == nullptr) return holders;
  while (const dirent* entry = ::readdir(directory)) {
    const Pid pid = std::atoi(entry->d_name);
    if (pid <= 0 || pid == listener.by || pid == ::getpid()) continue;
    const int fd = find_descriptor(pid, listener.name, Access::any).value_or(-1);
    if (fd >= 0)
      holders.push_back({pid, fd, fmt::format("listener 127.0.0.1:{}", listener.port), listener.by});
  }
  ::closedir(directory);
  std::sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
  return holders;
}

ProbeMade probe_bind(int port) {
  const int error = try_port(port, ::bind);
  return {fmt::format("bind to 127.0.0.1:{}", port), error == 0 ? "free" : error_text("bind", error),
          error == 0};
}

ProbeMade probe_connect(int port) {
  const int error = try_port(port, ::connect);
  const bool refused = error == ECONNREFUSED;
  return {fmt::format("connect to 127.0.0.1:{}", port),
          error == 0 ? "accepted by the kernel" : error_text("connect", error), refused};
}

}  // namespace forkproof::observe
