#include "repro/emit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/fuzz/emit_cpp.h"
#include "harness/run/run_pool.h"
#include "repro/common.h"

namespace forkproof {
namespace {

constexpr int runs = 20;
constexpr int run_limit_ms = 60'000;  // of one run: seconds are what they are made of

/// A folder of our own, gone with us.
class Workshop {
 public:
  Workshop() {
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (error) throw BadInput("TMPDIR: " + error.message());
    std::string name = (folder / "forkproof-emit.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw BadInput(error_text("TMPDIR: " + name));
    path_ = name;
  }
  ~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Runs one command after another, each in a process group of its own that goes with us. Active: waits for the command, or
/// for SIGINT, SIGTERM or SIGHUP, which ends all that it has started. Whatever it writes to no named place goes into the
/// workshop, so that nothing of it is left when that goes.
class Hands {
 public:
  Hands(const Workshop& workshop, const run::InterruptsHeld& interrupts) : workshop_(workshop), interrupts_(interrupts) {
    // What a command leaves behind, and what a compiler that is killed has started, comes to us.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~Hands() {
    // What has interrupted us is answered; left pending, it would end us before the exit status is told.
    signalfd_siginfo answered;
    while (interrupted_ && ::read(interrupts_.fd.get(), &answered, sizeof answered) > 0) {
    }
  }
  Hands(const Hands&) = delete;
  Hands& operator=(const Hands&) = delete;

  [[nodiscard]] bool interrupted() const { return interrupted_; }
  /// The last command was ended because its time was over.
  [[nodiscard]] bool out_of_time() const { return out_of_time_; }
  /// The exit status of a command whose output goes nowhere; -1 when it was killed, interrupted or out of time, 127 when
  /// there is no such program. Nothing that it started is there any more. `limit_ms`: -1 for none.
  int status_of(const std::vector<std::string>& words, int limit_ms = -1) {
    const pid_t us = ::getpid(), pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) become(words, us);
    ::setpgid(pid, pid);  // whichever of the two is first
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) fail("pidfd_open");
    pollfd watched[] = {{pidfd.get(), POLLIN, 0}, {interrupts_.fd.get(), POLLIN, 0}};
    int ready = 0;
    do ready = ::poll(watched, 2, limit_ms);
    while (ready < 0 && errno == EINTR);
    out_of_time_ = ready == 0;
    if (watched[1].revents != 0) interrupted_ = true;
    if (interrupted_ || out_of_time_) ::kill(-pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    arena::kill_descendants();
    return !interrupted_ && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  /// In the child.
  [[noreturn]] void become(const std::vector<std::string>& words, pid_t parent) const {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it died before that
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, signal);
    ::sigprocmask(SIG_UNBLOCK, &held, nullptr);
    const int nothing = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    ::setenv("TMPDIR", workshop_.path().c_str(), 1);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }

  const Workshop& workshop_;
  const run::InterruptsHeld& interrupts_;
  bool interrupted_ = false, out_of_time_ = false;
};

/// A promise and the program that looks at it.
struct Said {
  std::string promise, program;
};

/// Of the promises that the cell is expected to break. BadInput with the last one's reason when none can be said.
Said first_that_can_be_said(const run::Cell& cell) {
  std::string reason;
  for (const std::string& promise : cell.expected) {
    try {
      return {promise, fuzz::emit_cpp(cell.one, promise)};
    } catch (const BadInput& refusal) {
      reason = refusal.what();
    }
  }
  throw BadInput(reason);
}

int cut_off() {
  complain("interrupted: the program was written, and not tried to the end");
  return could_not_tell;
}

int compile_and_run(const std::string& program, const std::string& promise, bool should_break) {
  const run::InterruptsHeld interrupts;
  const Workshop workshop;
  Hands hands(workshop, interrupts);
  const std::string source = workshop.file("case.cpp"), binary = workshop.file("case");
  if (!(std::ofstream(source) << program << std::flush)) fail("write " + source);
  const int compiled = hands.status_of({"c++", "-std=c++17", "-pthread", "-o", binary, source});
  if (hands.interrupted()) return cut_off();
  if (compiled == 127) {
    complain("no c++ here: the program was neither compiled nor run");
    return could_not_tell;
  }
  if (compiled != 0) throw HarnessFailure("c++ refuses the program that was written");
  int done = 0, broken = 0, kept = 0;
  while (done < runs && !hands.out_of_time()) {  // once is enough to know that it may never end
    const int status = hands.status_of({binary}, run_limit_ms);
    if (hands.interrupted()) return cut_off();
    ++done, broken += status == 1, kept += status == 0;
  }
  const std::string untold = broken + kept == done ? "" : fmt::format(", could not tell {}", done - broken - kept);
  complain(fmt::format("compiled, run {} times: {} broken {} of {}{}{}", done, promise, broken, done, untold,
                       hands.out_of_time() ? fmt::format(" (no end within {} s)", run_limit_ms / 1'000) : ""));
  if ((should_break ? kept : broken) > 0) return not_as_expected;
  return broken + kept == runs ? as_expected : could_not_tell;
}

}  // namespace

int emit(const std::string& wanted, const std::vector<run::Cell>& cells, const std::string& output) {
  const std::size_t equals = wanted.find('=');
  if (wanted.substr(0, equals) != "cpp") throw BadInput("--emit " + wanted + ": unknown; one of: cpp, cpp=PROMISE");
  if (cells.size() != 1) throw BadInput(fmt::format("--emit: these are {} cells; choose one by --profile and --backend", cells.size()));
  const run::Cell& cell = cells.front();
  if (equals == std::string::npos && cell.expected.empty()) throw BadInput("--emit cpp: this cell breaks nothing; say which promise is meant: --emit cpp=no-orphans");
  const auto [promise, program] = equals == std::string::npos ? first_that_can_be_said(cell) : Said{wanted.substr(equals + 1), fuzz::emit_cpp(cell.one, wanted.substr(equals + 1))};
  Output(output).write(program);
  return compile_and_run(program, promise, cell.expected.contains(promise));
}

}  // namespace forkproof
