// gperftools 499, cpython 84622, airflow 71707: the plainest of all.
#include <mutex>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

std::mutex mutex;

class StdMutex final : public Lock {
 public:
  std::string hold() override {
    hold_inside([](const auto& inside) {
      const std::lock_guard locked(mutex);
      inside();
    });
    return "a thread raised its flag inside the mutex";
  }
  void touch() override { const std::lock_guard locked(mutex); }
};

}  // namespace

std::unique_ptr<Lock> make_std_mutex() { return std::make_unique<StdMutex>(); }

}  // namespace forkproof::faults
