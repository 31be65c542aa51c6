#include "repro/adversary/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/wait_status.h"

namespace forkproof::adversary {
namespace {

/// Not libc's: where the command line is read, that one throws.
pid_t fork_really() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

/// What a worker tells while it works, in memory that both have.
struct Standing {
  std::atomic<std::uint64_t> next;  ///< the number that it is at, or will be
  std::atomic<std::uint64_t> read, refused, failed;
  std::atomic<std::size_t> longest_refusal;
};

struct Worker {
  std::uint64_t end = 0, step = 1;
  Standing* standing = nullptr;
  pid_t pid = -1;
  Fd pidfd;
  std::uint64_t seen = 0;  ///< `next` when it was last seen to go on
  std::chrono::steady_clock::time_point seen_at;
};

class Pool {
 public:
  explicit Pool(const Orders& orders) : orders_(orders) {
    std::filesystem::create_directories(orders.keep);
    kept_.reset(::open(orders.keep.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!kept_) fail("open " + orders.keep);
    constexpr mode_t all_may_write = 01777;
    if (::geteuid() == 0 && ::chmod(orders.keep.c_str(), all_may_write) != 0) fail("chmod " + orders.keep);
    const std::size_t size = sizeof(Standing) * orders.jobs;
    void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail("mmap");
    for (unsigned i = 0; i < orders.jobs; ++i) {
      Worker& worker = workers_.emplace_back();
      worker.end = orders.from + orders.count, worker.step = orders.jobs;
      worker.standing = new (static_cast<Standing*>(page) + i) Standing{};
      worker.standing->next = orders.from + i;
    }
  }

  Tally run() {
    const auto began = std::chrono::steady_clock::now();
    for (Worker& worker : workers_) start(worker);
    while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.pid > 0; })) look();
    for (const Worker& worker : workers_) add(worker);
    tally_.took = std::chrono::steady_clock::now() - began;
    return tally_;
  }

 private:
  void start(Worker& worker) {
    if (worker.standing->next >= worker.end) return;
    std::cout.flush();
    const pid_t parent = ::getpid();
    worker.pid = fork_really();
    if (worker.pid < 0) fail("fork");
    if (worker.pid == 0) work(worker, parent);
    worker.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, worker.pid, 0)));
    if (!worker.pidfd) fail("pidfd_open");
    worker.seen = worker.standing->next, worker.seen_at = std::chrono::steady_clock::now();
  }

  /// In the worker's process.
  [[noreturn]] void work(Worker& worker, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int status = 0;
    try {
      const std::unique_ptr<Reader> reader = orders_.reader->make(orders_.corpus);
      Standing& standing = *worker.standing;
      for (; standing.next < worker.end; standing.next += worker.step) {
        Chance chance(orders_.seed, standing.next);
        const std::string input = reader->input(chance);
        note(standing, input, reader->came_of(input));
      }
    } catch (const std::exception& error) {
      keep("exception", worker.standing->next, error.what());
      status = 3;
    }
    ::_exit(status);
  }

  void note(Standing& standing, const std::string& input, const Came& came) {
    ++(came.was_read ? standing.read : standing.refused);
    standing.longest_refusal = std::max(standing.longest_refusal.load(), came.refusal.size());
    if (came.complaint.empty()) return;
    constexpr std::uint64_t most_kept = 20;
    if (++standing.failed > most_kept) return;
    keep("wrong", standing.next, came.complaint + "\n" + came.refusal);
    keep_file("wrong", standing.next, ".input", input);
  }

  void keep(const char* kind, std::uint64_t number, const std::string& why) const { keep_file(kind, number, ".why", why + "\n"); }

  /// The reader of command lines has become nobody: it cannot walk to the folder, only write in the open one.
  void keep_file(const char* kind, std::uint64_t number, const char* extension, const std::string& text) const {
    const std::string name =
        std::string(orders_.reader->key) + "-" + std::to_string(orders_.seed) + "-" + std::to_string(number) + "-" + kind + extension;
    const Fd file(::openat(kept_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) fail("keep " + name);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail("write " + name);
  }

  /// Waits until a worker ends, or for a while, and then sees which of them stands still.
  void look() {
    std::vector<pollfd> watched;
    for (const Worker& worker : workers_) watched.push_back({worker.pidfd.open() ? worker.pidfd.get() : -1, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), 1'000) < 0 && errno != EINTR) fail("poll");
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i].pid <= 0) continue;
      if (watched[i].revents != 0) ended(workers_[i]);
      else look_whether_it_hangs(workers_[i]);
    }
  }

  void look_whether_it_hangs(Worker& worker) {
    const std::uint64_t now_at = worker.standing->next;
    const auto now = std::chrono::steady_clock::now();
    if (now_at != worker.seen) {
      worker.seen = now_at, worker.seen_at = now;
    } else if (now - worker.seen_at > orders_.hang_after) {
      failed(worker, "hang", "no end after " + std::to_string(orders_.hang_after.count()) + " s");
      ::kill(worker.pid, SIGKILL);
      hung_ = worker.pid;
    }
  }

  void ended(Worker& worker) {
    int raw = 0;
    while (::waitpid(worker.pid, &raw, 0) < 0 && errno == EINTR) {
    }
    const WaitStatus status(raw);
    const bool hung = worker.pid == hung_, well = status == WaitStatus::exited_with(0);
    worker.pid = -1, worker.pidfd.reset();
    if (well) return;
    if (!hung) failed(worker, status == WaitStatus::exited_with(3) ? "exception" : "crash", status.text());
    worker.standing->next += worker.step;
    start(worker);
  }

  /// The input is made once more: it is a function of its number.
  void failed(Worker& worker, const char* kind, const std::string& why) {
    ++tally_.failures[kind];
    const std::uint64_t number = worker.standing->next;
    if (std::string_view(kind) != "exception") keep(kind, number, why);
    const pid_t pid = fork_really();
    if (pid == 0) {
      Chance chance(orders_.seed, number);
      keep_file(kind, number, ".input", orders_.reader->make(orders_.corpus)->input(chance));
      ::_exit(0);
    }
    while (pid > 0 && ::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  void add(const Worker& worker) {
    tally_.read += worker.standing->read, tally_.refused += worker.standing->refused;
    tally_.longest_refusal = std::max(tally_.longest_refusal, worker.standing->longest_refusal.load());
    if (worker.standing->failed > 0) tally_.failures["wrong"] += worker.standing->failed;
    tally_.inputs = orders_.count;
  }

  const Orders& orders_;
  Fd kept_;
  std::vector<Worker> workers_;
  Tally tally_;
  pid_t hung_ = -1;
};

}  // namespace

Tally run(const Orders& orders) { return Pool(orders).run(); }

}  // namespace forkproof::adversary
