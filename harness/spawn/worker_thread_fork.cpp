// Backend `worker-thread-fork`: tractor's main_thread_forkserver, as measured (fixtures/supervisor/README.md,
// tractor). A worker thread that has done nothing else forks; the pid comes back through a pipe; the worker
// is joined for 10 s at most. The child does not exec: it closes what it was not given and runs the entry.
// Not reset: signal handlers, ignored signals, the mask (the worker's, which is its creator's), and
// everything in memory, locks included.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

constexpr time_t longest_join_s = 10;

/// Shared with the worker, and left to it where it is not back in time: its fork may yet come through.
struct Errand {
  explicit Errand(const SpawnSpec& borrowed) : spec(borrowed), plan(spec, false, true) {
    plan.keep_signals();
    plan.scrub_descriptors();
  }
  SpawnSpec spec;
  PreparedPlan plan;
  Fd answer;
};

struct Answer {
  pid_t pid;
  int error;
};

void* fork_in_worker(void* argument) {
  const auto* errand = static_cast<const Errand*>(argument);
  const pid_t pid = ::fork();
  if (pid == 0) forkproof_run_child(errand->plan.get());
  const Answer answer{pid, errno};
  [[maybe_unused]] const auto written = ::write(errand->answer.get(), &answer, sizeof answer);
  return nullptr;
}

class WorkerThreadFork final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return SpawnFailure{"pipe2", errno};
    const Fd answers(ends[0]);
    auto errand = std::make_unique<Errand>(spec);
    errand->answer.reset(ends[1]);
    pthread_t worker{};
    const int error = ::pthread_create(&worker, nullptr, fork_in_worker, errand.get());
    if (error != 0) return SpawnFailure{"pthread_create", error};
    if (const int late = join(worker)) {
      ::pthread_detach(worker);
      (void)errand.release();
      return SpawnFailure{"join of the worker thread that forks", late};
    }
    Answer answer{};
    if (::read(answers.get(), &answer, sizeof answer) != sizeof answer) return SpawnFailure{"read of the pid", EPIPE};
    if (answer.pid < 0) return SpawnFailure{"fork", answer.error};
    return adopt(answer.pid);
  }

 private:
  static int join(pthread_t worker) {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += longest_join_s;
    return ::pthread_clockjoin_np(worker, nullptr, CLOCK_MONOTONIC, &until);
  }
};

}  // namespace

std::unique_ptr<Backend> make_worker_thread_fork() { return std::make_unique<WorkerThreadFork>(); }

}  // namespace forkproof::spawn
