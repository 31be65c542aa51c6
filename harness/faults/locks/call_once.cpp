// Control: std::call_once is pthread_once beneath, and is mended by fork() in the same way.
#include <mutex>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

std::once_flag once;

class CallOnce final : public Lock {
 public:
  std::string hold() override {
    hold_inside([](const auto& inside) { std::call_once(once, inside); });
    return "a thread raised its flag inside the callable";
  }
  void touch() override {
    std::call_once(once, [] {});
  }
};

}  // namespace

std::unique_ptr<Lock> make_call_once() { return std::make_unique<CallOnce>(); }

}  // namespace forkproof::faults
