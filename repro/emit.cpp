#include "repro/emit.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "harness/arena/sweep.h"
#include "harness/core/error.h"
#include "harness/fuzz/emit_cpp.h"
#include "repro/common.h"

namespace forkproof {
namespace {

constexpr int runs = 20;

/// A folder of our own, gone with us.
class Workshop {
 public:
  Workshop() {
    std::string name = (std::filesystem::temp_directory_path() / "forkproof-emit.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail("mkdtemp " + name);
    path_ = name;
  }
  ~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// The exit status of a command whose output goes nowhere; -1 when it was killed, 127 when there is no such program.
int status_of(const std::vector<std::string>& words) {
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    const int nothing = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

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

int compile_and_run(const std::string& program, const std::string& promise, bool should_break) {
  const Workshop workshop;
  const std::string source = workshop.file("case.cpp"), binary = workshop.file("case");
  std::ofstream(source) << program;
  const int compiled = status_of({"c++", "-std=c++17", "-pthread", "-o", binary, source});
  if (compiled == 127) {
    complain("no c++ here: the program was neither compiled nor run");
    return could_not_tell;
  }
  if (compiled != 0) throw HarnessFailure("c++ refuses the program that was written");
  // It brings down all that it starts; should it die before that, what it leaves comes to us.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  int broken = 0, kept = 0;
  for (int i = 0; i < runs; ++i) {
    const int status = status_of({binary});
    broken += status == 1, kept += status == 0;
    arena::kill_descendants();
  }
  complain(fmt::format("compiled, run {} times: {} broken {} of {}{}", runs, promise, broken, runs,
                       broken + kept == runs ? "" : fmt::format(", could not tell {}", runs - broken - kept)));
  return (should_break ? broken : kept) == runs ? as_expected : not_as_expected;
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
