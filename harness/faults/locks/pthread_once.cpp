// Control: glibc counts forks in a pthread_once_t, so a child finds a routine that was under way in the parent undone
// and runs it itself. Only fork() tells glibc; the bare system call does not, and there the child waits for ever.
#include <pthread.h>

#include <functional>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

pthread_once_t once = PTHREAD_ONCE_INIT;
const std::function<void()>* inside_now = nullptr;

void routine() {
  if (inside_now != nullptr) (*inside_now)();
}

class PthreadOnce final : public Lock {
 public:
  std::string hold() override {
    hold_inside([](const auto& inside) {
      inside_now = &inside;
      ::pthread_once(&once, routine);
    });
    return "a thread raised its flag inside the routine";
  }
  void touch() override {
    inside_now = nullptr;
    ::pthread_once(&once, routine);
  }
};

}  // namespace

std::unique_ptr<Lock> make_pthread_once() { return std::make_unique<PthreadOnce>(); }

}  // namespace forkproof::faults
