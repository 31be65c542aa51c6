// dl_iterate_phdr calls back under the loader's write lock, which fork, unlike the loader's other lock, leaves as it
// is. The child's own dl_iterate_phdr waits, and so does its dlopen.
#include <link.h>

#include <functional>

#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

int call_inside(dl_phdr_info*, std::size_t, void* inside) {
  (*static_cast<const std::function<void()>*>(inside))();
  return 0;
}
int nothing(dl_phdr_info*, std::size_t, void*) { return 0; }

class DlIteratePhdr final : public Lock {
 public:
  std::string hold() override {
    hold_inside([](const auto& inside) { ::dl_iterate_phdr(call_inside, const_cast<std::function<void()>*>(&inside)); });
    return "a thread raised its flag inside the callback";
  }
  void touch() override { ::dl_iterate_phdr(nothing, nullptr); }
};

}  // namespace

std::unique_ptr<Lock> make_dl_iterate_phdr() { return std::make_unique<DlIteratePhdr>(); }

}  // namespace forkproof::faults
