// libgomp keeps the threads of a parallel region for the next one. The child's libgomp has them in its books and
// nowhere else: its next region waits for them at the first barrier. This file alone is compiled with OpenMP.
#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

constexpr int team = 4;

int parallel_region() {
  int came = 0;
#pragma omp parallel num_threads(team) reduction(+ : came)
  came += 1;
  return came;
}

class Libgomp final : public Lock {
 public:
  std::string hold() override {
    const int came = parallel_region();
    const std::size_t kept = other_threads().size();
    if (came != team || kept != team - 1) {
      throw HarnessFailure(fmt::format("a region of {} threads ran with {} and kept {}", team, came, kept));
    }
    return fmt::format("a region of {} threads has run; libgomp keeps {} of them", team, kept);
  }
  void touch() override { parallel_region(); }
};

}  // namespace

std::unique_ptr<Lock> make_libgomp() { return std::make_unique<Libgomp>(); }

}  // namespace forkproof::faults
