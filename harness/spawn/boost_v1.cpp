// Backend `boost-v1`: boost::process::child, with what it offers for the rest of a SpawnSpec: an extension handler, which
// runs in the child right before its execve. What the library does not do and its users therefore do not get: it resets no
// handler, ignores and blocks what the parent does, and closes nothing: a descriptor without close-on-exec goes along. Its
// error pipe is made with pipe() and marked afterwards, so that a fork by another thread in between takes it.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

// Moved by Boost 1.86.
#if __has_include(<boost/process/v1/child.hpp>)
#include <boost/process/v1/args.hpp>
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/exe.hpp>
#include <boost/process/v1/extend.hpp>
namespace bp = boost::process::v1;
#else
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
namespace bp = boost::process;
#endif

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

/// The group and the descriptors, in the child; the pid of a child whose exec failed, in the parent.
struct AsTheSpecSays : bp::extend::handler {
  const SpawnSpec& spec;
  const std::vector<Fd>& moved;
  AsTheSpecSays(const SpawnSpec& spec_, const std::vector<Fd>& moved_) : spec(spec_), moved(moved_) {}

  template <class Executor>
  void on_exec_setup(Executor& executor) const {
    if (spec.group == FORKPROOF_GROUP_OWN && ::setpgid(0, 0) != 0) executor.set_error(last_error(), "setpgid");
    if (spec.group == FORKPROOF_GROUP_SESSION && ::setsid() < 0) executor.set_error(last_error(), "setsid");
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (::dup2(moved[i].get(), static_cast<int>(i)) < 0) executor.set_error(last_error(), "dup2");
    }
  }

  /// Symptom: a zombie after a failed exec. Cause: the library waits once, with WNOHANG, right after the child has told
  /// it (1.81, executor.hpp), which is mostly too early. Remedy: wait here as well.
  template <class Executor>
  void on_error(Executor& executor, const std::error_code&) const {
    while (executor.pid > 0 && ::waitpid(executor.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

class BoostV1 final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    std::vector<Fd> moved;
    if (const int error = move_above_targets(spec, &moved)) return SpawnFailure{"fcntl(F_DUPFD_CLOEXEC)", error};
    const std::vector<std::string> arguments(spec.argv.begin() + (spec.argv.empty() ? 0 : 1), spec.argv.end());
    std::error_code error;
    bp::child child(bp::exe = spec.path, bp::args = arguments, error, AsTheSpecSays(spec, moved));
    if (error) return SpawnFailure{"boost::process::child", error.value()};
    const pid_t pid = child.id();
    child.detach();  // else its destructor kills
    return adopt(pid);
  }
};

}  // namespace

std::unique_ptr<Backend> make_boost_v1() { return std::make_unique<BoostV1>(); }

}  // namespace forkproof::spawn
