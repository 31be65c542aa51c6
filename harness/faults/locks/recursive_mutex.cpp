// The forking thread holds it itself, and may lock it again as often as it likes. Its child may not: a recursive mutex
// knows its owner by thread id, and the child's is another one. A child made by the bare system call is spared: nobody
// has told its libc of the new id, so it takes itself for the owner.
#include <mutex>
#include <thread>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"

namespace forkproof::faults {
namespace {

std::recursive_mutex mutex;

class RecursiveMutex final : public Lock {
 public:
  std::string hold() override {
    mutex.lock();
    bool refused = false;
    std::thread([&refused] {
      refused = !mutex.try_lock();
      if (!refused) mutex.unlock();
    }).join();
    if (!refused) throw HarnessFailure("the recursive mutex is not held");
    return "the forking thread has locked it itself; another one tried and was refused";
  }
  void touch() override {
    mutex.lock();
    mutex.unlock();
  }
};

}  // namespace

std::unique_ptr<Lock> make_recursive_mutex() { return std::make_unique<RecursiveMutex>(); }

}  // namespace forkproof::faults
