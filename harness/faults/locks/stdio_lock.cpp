// Control: fork() gives the child every stream unlocked. The bare system call leaves it locked, by nobody.
#include <cstdio>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

std::FILE* stream = nullptr;

class StdioLock final : public Lock {
 public:
  std::string hold() override {
    stream = std::fopen("/dev/null", "we");
    if (stream == nullptr) fail("fopen");
    hold_inside([](const auto& inside) {
      ::flockfile(stream);
      inside();
    });
    return "a thread raised its flag between flockfile and funlockfile";
  }
  void touch() override {
    if (stream == nullptr) stream = std::fopen("/dev/null", "we");
    std::fputs("a line of the task\n", stream);
    std::fflush(stream);
  }
};

}  // namespace

std::unique_ptr<Lock> make_stdio_lock() { return std::make_unique<StdioLock>(); }

}  // namespace forkproof::faults
