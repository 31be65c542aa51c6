#include "harness/observe/listening.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

/// Name in /proc/PID/fd, and address.
using Addresses = std::map<std::string, std::string>;

/// "0100007F:1F90", each group of four bytes as the machine's own number (`man 5 proc_pid_net`).
std::string address_of(const std::string& text, bool v6) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return text;
  const unsigned long port = std::strtoul(text.c_str() + colon + 1, nullptr, 16);
  unsigned char bytes[16] = {};
  for (std::size_t i = 0; i * 8 + 8 <= colon && i < 4; ++i) {
    const auto group = static_cast<std::uint32_t>(std::strtoul(text.substr(i * 8, 8).c_str(), nullptr, 16));
    std::memcpy(bytes + i * 4, &group, sizeof group);
  }
  char name[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, name, sizeof name);
  return v6 ? fmt::format("[{}]:{}", name, port) : fmt::format("{}:{}", name, port);
}

std::string socket_name(const std::string& inode) { return "socket:[" + inode + "]"; }

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> fields;
  for (std::string field; stream >> field;) fields.push_back(field);
  return fields;
}

/// sl, local address, remote address, state (0A: it listens), queues, timer, retransmits, uid, timeout, inode.
void read_tcp(const std::string& path, bool v6, Addresses* into) {
  ProcText table(path);
  if (table.view().empty()) {
    if (v6) return;  // a kernel without IPv6
    fail("read " + path);
  }
  for (std::string line; std::getline(table, line);) {
    const auto fields = fields_of(line);
    if (fields.size() > 9 && fields[3] == "0A") (*into)[socket_name(fields[9])] = address_of(fields[1], v6);
  }
}

/// Num, RefCount, Protocol, Flags (__SO_ACCEPTCON), Type, St, Inode, Path.
void read_unix(const std::string& path, Addresses* into) {
  constexpr unsigned long accepts = 0x10000;
  ProcText table(path);
  if (table.view().empty()) fail("read " + path);
  for (std::string line; std::getline(table, line);) {
    const auto fields = fields_of(line);
    if (fields.size() < 7 || (std::strtoul(fields[3].c_str(), nullptr, 16) & accepts) == 0) continue;
    (*into)[socket_name(fields[6])] = fields.size() > 7 ? fields[7] : "a unix socket without a name";
  }
}

ino_t network_of(Pid pid) {
  struct stat about {};
  return stat_proc(fmt::format("/proc/{}/ns/net", pid), &about) == 0 ? about.st_ino : 0;
}

/// Of our own network namespace, and of each other one that a process is in.
Addresses all_listening(const std::vector<Pid>& pids) {
  Addresses found;
  const auto read = [&found](Pid pid) {
    const std::string folder = fmt::format("/proc/{}/net/", pid);
    read_tcp(folder + "tcp", false, &found);
    read_tcp(folder + "tcp6", true, &found);
    read_unix(folder + "unix", &found);
  };
  std::set<ino_t> networks{0, network_of(::getpid())};
  read(::getpid());
  for (const Pid pid : pids) {
    if (!networks.insert(network_of(pid)).second) continue;
    try {
      read(pid);
    } catch (const HarnessFailure&) {
      if (look_at(pid)) throw;  // else it has ended meanwhile
    }
  }
  return found;
}

/// The names of what a process has open; nothing of one that has ended.
std::set<std::string> open_in(Pid pid) {
  std::set<std::string> names;
  const std::string folder = fmt::format("/proc/{}/fd/", pid);
  DIR* directory = open_proc_folder(folder);
  if (directory == nullptr && !means_gone(errno)) fail("open " + folder);
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory)) names.insert(proc_link(folder + entry->d_name));
  ::closedir(directory);
  return names;
}

}  // namespace

ListenersSeen listeners_in_arena(const std::string& when, bool sealed, Pid root) {
  ListenersSeen seen{when, "", {}};
  if (!sealed) return seen.trouble = "the arena has no network namespace of its own", seen;
  try {
    const std::vector<Pid> pids = everybody(sealed, root);
    Addresses listening = all_listening(pids);
    for (const std::string& own : open_in(::getpid())) listening.erase(own);
    if (listening.empty()) return seen;
    std::map<std::string, std::vector<Pid>> holders;
    for (const Pid pid : pids) {
      for (const std::string& name : open_in(pid)) {
        if (listening.contains(name)) holders[name].push_back(pid);
      }
    }
    for (const auto& [name, who] : holders) seen.listeners.push_back({name, listening[name], who});
  } catch (const std::exception& error) {
    seen.trouble = error.what();
  }
  return seen;
}

}  // namespace forkproof::observe
