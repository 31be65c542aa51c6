// A static of a function is made under a guard (__cxa_guard_acquire). A child that comes to the same line while another
// thread of the parent was making it waits for that thread.
#include <functional>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

struct Slow {
  explicit Slow(const std::function<void()>& inside) {
    if (inside) inside();
  }
};
void come_to_the_static(const std::function<void()>& inside) { static const Slow slow(inside); }

class StaticGuard final : public Lock {
 public:
  std::string hold() override {
    hold_inside([](const auto& inside) { come_to_the_static(inside); });
    return "a thread raised its flag inside the initialiser";
  }
  void touch() override { come_to_the_static({}); }
};

}  // namespace

std::unique_ptr<Lock> make_static_guard() { return std::make_unique<StaticGuard>(); }

}  // namespace forkproof::faults
