#pragma once
// What the two launchers of Boost.Process v2 have in common. Included by boost_v2.cpp and boost_v2_vfork.cpp alone: Asio
// is dear to compile.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {

/// A custom initializer, the library's own means: descriptors and group, in the child right before execve. Not process_stdio
/// and bind_fd: the one stumbles over descriptors that stand in each other's place, and 1.81's bind_fd returns nothing from
/// a function that must return.
struct SpecInitializer {
  const SpawnSpec& spec;
  const std::vector<Fd>& moved;

  template <class Launcher, class Path, class Argv>
  boost::system::error_code on_setup(Launcher& launcher, const Path&, const Argv&) const {
    for (std::size_t i = 3; i < moved.size(); ++i) launcher.fd_whitelist.push_back(static_cast<int>(i));
    return {};
  }

  template <class Launcher, class Path, class Argv>
  boost::system::error_code on_exec_setup(Launcher&, const Path&, const Argv&) const {
    if (spec.group == FORKPROOF_GROUP_OWN && ::setpgid(0, 0) != 0) return last_error();
    if (spec.group == FORKPROOF_GROUP_SESSION && ::setsid() < 0) return last_error();
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (::dup2(moved[i].get(), static_cast<int>(i)) < 0) return last_error();
    }
    return {};
  }

  /// Symptom: after a failed exec the parent's at-exit handlers and destructors run in the child; with vfork, on the
  /// parent's own memory. Cause: the launchers end such a child with exit() (1.81). Remedy: be faster. The odd signature is
  /// the library's: it asks for five arguments and passes four.
  template <class... Whatever>
  void on_exec_error(Whatever&&...) const {
    ::_exit(EXIT_FAILURE);
  }

 private:
  static boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }
};

/// The whole spawn, with a launcher of the library's.
template <class Launcher>
boost::system::result<Child, SpawnFailure> spawn_with_boost_v2(const SpawnSpec& spec, const char* name) {
  std::vector<Fd> moved;
  if (const int error = move_above_targets(spec, &moved)) return SpawnFailure{"fcntl(F_DUPFD_CLOEXEC)", error};
  std::vector<const char*> argv;
  for (const std::string& word : spec.argv) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  // A context of its own that has no reactor yet. Symptom: the vfork launcher leaves a context whose epoll has another
  // number, or none. Cause: it calls notify_fork(fork_child) on the parent's memory (1.81, vfork_launcher.hpp). Remedy:
  // none from outside but to have nothing there to spoil.
  boost::asio::io_context context;
  Launcher launcher;
  boost::system::error_code error;
  try {
    auto process = launcher(context.get_executor(), error, boost::process::v2::filesystem::path(spec.path), argv.data(),
                            SpecInitializer{spec, moved});
    if (!error) process.detach();  // else its destructor kills
  } catch (const boost::system::system_error& failure) {
    // Symptom: an exception, and a child that runs all the same. Cause: the process object opens its pidfd without looking
    // whether that worked, and it does not where SIGCHLD is ignored and the child is gone. Remedy: the launcher has the pid.
    if (launcher.pid <= 0) return SpawnFailure{name, failure.code().value()};
  }
  if (!error) return adopt(launcher.pid);
  // Nor does it reap a child whose exec failed.
  while (launcher.pid > 0 && ::waitpid(launcher.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return SpawnFailure{name, error.value()};
}

}  // namespace forkproof::spawn
