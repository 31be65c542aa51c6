// A library that wants its lock whole in the child takes it in a pthread_atfork prepare handler. While one of its
// threads is inside for long, every fork() of the process waits in that handler. vfork, posix_spawn and the bare
// system call run no handlers; a child of the last has the lock as it was.
#include <pthread.h>

#include <mutex>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

std::mutex mutex;

void take() { mutex.lock(); }
void give_back() { mutex.unlock(); }

class AtforkHandler final : public Lock {
 public:
  std::string hold() override {
    if (const int error = ::pthread_atfork(take, give_back, give_back)) fail("pthread_atfork", error);
    hold_inside([](const auto& inside) {
      const std::lock_guard locked(mutex);
      inside();
    });
    return "a thread raised its flag inside the mutex that the prepare handler takes";
  }
  void touch() override { const std::lock_guard locked(mutex); }
};

}  // namespace

std::unique_ptr<Lock> make_atfork_handler() { return std::make_unique<AtforkHandler>(); }

}  // namespace forkproof::faults
