// setenv searches the environment under its lock (getenv takes none). The holder searches one whose page never comes.
// The environment proper is back in place before anybody spawns: whoever execs with `environ` hands the kernel good
// memory, and what is left of the fault is the lock alone.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

class Setenv final : public Lock {
 public:
  std::string hold() override {
    const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail("mmap");
    hold_back(page, size);
    char** const proper = environ;
    environ = static_cast<char**>(page);
    const std::string proof = hold_in_kernel([] { ::setenv("FORKPROOF_HOLDER", "1", 1); }, "userfault");
    environ = proper;
    return proof + ", inside setenv";
  }
  void touch() override { ::setenv("FORKPROOF_TOUCH", "1", 1); }
};

}  // namespace

std::unique_ptr<Lock> make_setenv() { return std::make_unique<Setenv>(); }

}  // namespace forkproof::faults
