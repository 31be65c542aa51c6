// Control: threads that allocate and free without a pause, in the one arena that the child will use. fork() takes the
// arena's lock first, and the child has it free. (The bare system call takes no lock: whether one is held then is luck,
// so this is no question for it. malloc-arena is the certain one.)
#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

constexpr int churners = 3;
constexpr long rounds_each = 1'000;

std::atomic<long> rounds{0};

void churn(long count) {
  constexpr std::size_t slots = 64, largest = 65'536;
  void* blocks[slots] = {};
  std::uint32_t random = 12'345;
  for (long i = 0; i < count; ++i) {
    random = random * 1'103'515'245 + 12'345;
    void*& block = blocks[(random >> 16) % slots];
    std::free(block);
    block = std::malloc((random >> 8) % largest + 1);
    ++rounds;
  }
  for (void* block : blocks) std::free(block);
}

class MallocChurn final : public Lock {
 public:
  std::string hold() override {
    ::mallopt(M_ARENA_MAX, 1);
    for (int i = 0; i < churners; ++i) {
      std::thread([] {
        for (;;) churn(rounds_each);
      }).detach();
    }
    const long before = rounds;
    while (rounds < before + churners * rounds_each) std::this_thread::yield();
    return fmt::format("{} threads have allocated {} times and go on", churners, churners * rounds_each);
  }
  void touch() override { churn(rounds_each); }
};

}  // namespace

std::unique_ptr<Lock> make_malloc_churn() { return std::make_unique<MallocChurn>(); }

}  // namespace forkproof::faults
