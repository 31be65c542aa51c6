#include "harness/arena/namespaces.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

void write_file(const char* path, const std::string& text) {
  const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    fail(std::string("write ") + path);
  }
}

void map_identity(uid_t uid, uid_t outer_uid, gid_t gid, gid_t outer_gid) {
  // `man 7 user_namespaces`: without privileges, setgroups must be denied before a gid may be mapped.
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", std::to_string(uid) + " " + std::to_string(outer_uid) + " 1");
  write_file("/proc/self/gid_map", std::to_string(gid) + " " + std::to_string(outer_gid) + " 1");
}

}  // namespace

Clone clone_process(std::uint64_t flags, int cgroup, const std::function<int()>& body) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  // The raw call skips libc's at-fork handlers: there is one thread here, so there is no lock for them to repair.
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) fail("clone3");
  if (pid == 0) {
    int code = 70;
    try {
      code = body();
    } catch (const std::exception& error) {
      complain(error.what());
    }
    ::_exit(code);
  }
  return {static_cast<pid_t>(pid), Fd(pidfd)};
}

std::uint64_t keeper_flags(Tier tier, Privacy privacy) {
  if (tier == Tier::subreaper) return 0;
  const std::uint64_t user = tier == Tier::user_namespace ? CLONE_NEWUSER : 0;
  return user | (privacy == Privacy::all ? CLONE_NEWNET | CLONE_NEWIPC : 0);
}

std::uint64_t warden_flags(Tier tier) {
  return tier == Tier::subreaper ? 0 : std::uint64_t{CLONE_NEWPID} | CLONE_NEWNS;
}

void become_root_of_user_namespace(uid_t outer_uid, gid_t outer_gid) { map_identity(0, outer_uid, 0, outer_gid); }

void keep_identity_in_user_namespace(uid_t outer_uid, gid_t outer_gid) {
  map_identity(outer_uid, outer_uid, outer_gid, outer_gid);
}

void raise_loopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) fail("socket");
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) fail("raise loopback");
}

void mount_private_proc() {
  // Private first, so that nothing that is mounted here is seen outside.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("make mounts private");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) fail("mount /proc");
}

}  // namespace forkproof::arena
