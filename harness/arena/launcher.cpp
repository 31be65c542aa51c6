#include "harness/arena/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "harness/core/error.h"
#include "harness/core/fd.h"

namespace forkproof::arena {
namespace {

constexpr char launcher_name[] = "repro-launcher";

void close_all_but(int kept) {
  const auto fd = static_cast<unsigned>(kept);
  if (fd > 0) ::syscall(SYS_close_range, 0U, fd - 1, 0U);
  ::syscall(SYS_close_range, fd + 1, ~0U, 0U);
}

/// By the system call: libc's sigprocmask never blocks its own two, 32 and 33, and each of them would kill.
void block_every_signal() {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

/// The caller goes on when it has read the pid: by then nothing else is open here.
void tell_pid(int writer, pid_t command) {
  close_all_but(writer);
  [[maybe_unused]] const auto told = ::write(writer, &command, sizeof command);
  ::close(writer);
}

[[noreturn]] void live_as_launcher(int writer, const std::function<void()>& become) {
  const pid_t command = ::fork();
  if (command == 0) {
    ::close(writer);
    become();
    ::_exit(70);
  }
  const int error = errno;
  ::prctl(PR_SET_NAME, launcher_name);
  block_every_signal();
  tell_pid(writer, command > 0 ? command : -error);
  siginfo_t end{};
  while (command > 0 && ::waitid(P_PID, static_cast<id_t>(command), &end, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  ::_exit(0);
}

}  // namespace

Launched launch(const std::function<void()>& become) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe for the launcher");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  Launched launched;
  launched.launcher = ::fork();
  if (launched.launcher < 0) fail("fork of the launcher");
  if (launched.launcher == 0) live_as_launcher(writer.get(), become);
  writer.reset();
  ssize_t got = 0;
  do got = ::read(reader.get(), &launched.command, sizeof launched.command);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof launched.command))
    throw HarnessFailure("the launcher of the command was killed");
  if (launched.command < 0) throw HarnessFailure(error_text("fork of the command", -launched.command));
  return launched;
}

void end_launcher(Launched& launched) {
  if (launched.launcher > 0) ::kill(launched.launcher, SIGKILL);
  launched.launcher = -1;
}

}  // namespace forkproof::arena
