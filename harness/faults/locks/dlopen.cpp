// Control: dlopen keeps the loader's lock while it reads the library, here from a pipe that says nothing. fork() gives
// the child that lock free. The bare system call does not.
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/syscall.h>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

class Dlopen final : public Lock {
 public:
  std::string hold() override {
    const std::string library = fmt::format("/proc/self/fd/{}", silent_pipe());
    return hold_in_system_call([library] { ::dlopen(library.c_str(), RTLD_NOW); }, SYS_read, "read") +
           " of the library, a pipe, inside dlopen";
  }
  void touch() override {
    if (void* library = ::dlopen("librt.so.1", RTLD_NOW)) ::dlclose(library);
  }
};

}  // namespace

std::unique_ptr<Lock> make_dlopen() { return std::make_unique<Dlopen>(); }

}  // namespace forkproof::faults
