#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

// With 0 the kernel would still run whatever core_pattern names.
TEST(RuntimeInChild, ATaskThatCrashesLeavesNoCoreAndWakesNoCrashReporter) {
  const auto fault = find_fault("runtime-in-child")->make({"runtime-in-child", {{"runtime", "setproctitle"}}});
  fault->arm_in_subject();
  const pid_t task = ::fork();
  if (task == 0) {
    ::signal(SIGSEGV, [](int) {
      rlimit core{};
      ::getrlimit(RLIMIT_CORE, &core);
      ::_exit(core.rlim_cur == 1 && core.rlim_max == 1 ? 0 : 1);
    });
    fault->touch_in_task();
    ::_exit(2);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(task, &status, 0), task);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace forkproof::faults
