// localtime and its kin read the time zone under one lock. TZ names a file; here it names a pipe, through
// /proc/self/fd, and the reader waits for it with the lock held.
#include <fmt/format.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <ctime>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

void ask_for_local_time() {
  const std::time_t then = 0;
  std::tm parts{};
  ::tzset();
  ::localtime_r(&then, &parts);
}

class Tzset final : public Lock {
 public:
  std::string hold() override {
    if (::setenv("TZ", fmt::format(":/proc/self/fd/{}", silent_pipe()).c_str(), 1) != 0) fail("setenv");
    const std::string proof = hold_in_system_call(ask_for_local_time, SYS_read, "read") + " of the time zone's file, a pipe";
    ::unsetenv("TZ");  // the lock stays held; an exec'd child has no such pipe
    return proof;
  }
  void touch() override { ask_for_local_time(); }
};

}  // namespace

std::unique_ptr<Lock> make_tzset() { return std::make_unique<Tzset>(); }

}  // namespace forkproof::faults
