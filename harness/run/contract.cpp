#include "harness/run/contract.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "fixtures/contract/starting_state.h"
#include "harness/arena/arena.h"
#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

/// A child reports in microseconds; one that says nothing for this long has said that.
constexpr int longest_silence_ms = 10'000;

int report_in_this_image(void*) {
  fixtures::report_starting_state(STDOUT_FILENO);
  return 0;
}

std::string read_report(int fd) {
  std::string report;
  char block[2048];
  pollfd readable{fd, POLLIN, 0};
  while (report.find("end\n") == std::string::npos && ::poll(&readable, 1, longest_silence_ms) == 1) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got <= 0) break;
    report.append(block, static_cast<std::size_t>(got));
  }
  return report;
}

/// In a process of its own: becomes unusual, spawns one child, and passes on what it says.
int be_the_parent(const spawn::BackendRow& row, const std::string& program, int out) {
  const std::string own_pid = std::to_string(::getpid());
  ::setenv("FORKPROOF_CONTRACT_PARENT", own_pid.c_str(), 1);
  const auto backend = row.make();  // first, as a forkserver is: it is to be clean of what comes
  fixtures::become_unusual_parent();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  spawn::SpawnSpec spec;
  spec.path = program;
  spec.argv = {"repro", "report-start"};
  spec.fds = {nothing.get(), write_end.get(), STDERR_FILENO};
  spec.parent_ends = {read_end.get()};
  spec.entry = report_in_this_image;
  const auto child = backend->spawn(spec);
  write_end.reset();
  const std::string report = child ? read_report(read_end.get())
                                   : "failure " + error_text(child.error().step, child.error().error) + "\n";
  return ::write(out, report.data(), report.size()) == static_cast<ssize_t>(report.size()) ? 0 : 1;
}

StartingState parsed(const std::string& backend, const std::string& report) {
  StartingState state{backend, {}, {}};
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (line.rfind("failure ", 0) == 0) state.failure = line.substr(space + 1);
    else if (space != std::string::npos) state.values[line.substr(0, space)] = line.substr(space + 1);
  }
  if (state.failure.empty() && state.values.size() != fixtures::starting_properties().size()) {
    state.failure = "its child reported nothing, or not all";
  }
  return state;
}

StartingState measure_one(const spawn::BackendRow& row, const arena::Provision& provision, const std::string& program) {
  const Fd out = anonymous_file("forkproof-contract");
  arena::Contents contents;
  contents.inside = [&] {
    const pid_t parent = ::fork();
    if (parent == 0) ::_exit(be_the_parent(row, program, out.get()));
    int status = 0;
    while (::waitpid(parent, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
  };
  arena::Arena arena(provision, contents);
  arena.finish();
  char report[4096];
  const ssize_t got = ::pread(out.get(), report, sizeof report, 0);
  return parsed(std::string(row.key), std::string(report, got > 0 ? static_cast<std::size_t>(got) : 0));
}

}  // namespace

std::vector<StartingState> measure_contract(const std::vector<std::string>& backends, const arena::Provision& provision,
                                            const std::string& program) {
  std::vector<StartingState> states;
  for (const std::string& key : backends) {
    const spawn::BackendRow* row = spawn::find_backend(key);
    if (row == nullptr) throw BadInput("no spawn backend '" + key + "'; `repro list backends` shows them");
    states.push_back(measure_one(*row, provision, program));
  }
  return states;
}

}  // namespace forkproof::run
