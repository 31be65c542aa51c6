// fflush(NULL) keeps the lock of the list of all streams while it writes. fork() takes that lock first, to hand the
// child streams that are whole: so the parent's own fork() waits, with or without an exec to come. vfork, posix_spawn
// and the bare system call do not ask for it; a child of the last has the lock for ever, and its next fopen waits.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

class Fflush final : public Lock {
 public:
  std::string hold() override {
    std::FILE* stream = ::fdopen(full_pipe(), "w");
    if (stream == nullptr) fail("fdopen");
    std::fputs("a line that nobody reads\n", stream);
    return hold_in_system_call([] { std::fflush(nullptr); }, SYS_write, "write") + " to a full pipe, inside fflush(NULL)";
  }
  void touch() override {
    if (std::FILE* stream = std::fopen("/dev/null", "we")) std::fclose(stream);
  }
};

}  // namespace

std::unique_ptr<Lock> make_fflush() { return std::make_unique<Fflush>(); }

}  // namespace forkproof::faults
