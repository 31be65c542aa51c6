#include "harness/arena/heartbeat.h"

#include <sys/mman.h>

#include <new>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

const Heartbeat* of_this_process = nullptr;

}  // namespace

Heartbeat::Heartbeat() {
  void* shared = ::mmap(nullptr, sizeof *count_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("mmap");
  count_ = new (shared) std::atomic<std::uint64_t>(0);
}

Heartbeat::~Heartbeat() { ::munmap(count_, sizeof *count_); }

void Heartbeat::is_mine() const { of_this_process = this; }

const Heartbeat* Heartbeat::mine() { return of_this_process; }

}  // namespace forkproof::arena
