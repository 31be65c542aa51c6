// fork() takes the lock of every malloc arena, to hand the child heaps that are whole. A thread that does not come out
// of malloc thus keeps the parent's own fork() waiting, with or without an exec to come. It is held there by a page of
// its arena that never comes, in the middle of a free chunk which it splits.
//
// It is an arena of that thread alone, as any thread but the first has it. So the supervisor's own allocations, and
// those of whoever proves and tells this, are not in the way: only fork() asks for all arenas. A child of the bare
// system call waits when it frees something that the thread had allocated.
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

constexpr std::size_t chunk_size = 100'000;  // less than malloc takes straight from the kernel (128 KiB)
constexpr std::size_t split_at = 50'000;
constexpr std::size_t own_block = 2'000;     // more than a thread keeps in its own cache, which needs no lock

constexpr int most_arenas = 8;               // whatever MALLOC_ARENA_MAX says: with 1 there is none but the main one

std::atomic<void*> block_of_holder{nullptr};

/// By glibc's own mark, in the word before each block (NON_MAIN_ARENA in its malloc/malloc.c).
bool is_in_main_arena(const void* block) { return (static_cast<const std::size_t*>(block)[-1] & 4) == 0; }

void be_caught_in_malloc() {
  auto* chunk = static_cast<char*>(std::malloc(chunk_size));
  block_of_holder = std::malloc(own_block);  // and so the chunk is not the arena's last, and is kept when it is free
  std::memset(chunk, 1, chunk_size);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  // malloc's own notes are at both ends: whole pages between them.
  auto* first = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(chunk) + 2 * page - 1) & ~(page - 1));
  auto* last = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(chunk) + chunk_size - page) & ~(page - 1));
  const auto size = static_cast<std::size_t>(last - first);
  try {
    hold_back(first, size);
  } catch (const std::exception&) {
    return;  // and so it is never seen in a page fault, which is told
  }
  std::free(chunk);
  ::madvise(first, size, MADV_DONTNEED);
  block_of_holder = std::malloc(split_at);
}

class MallocArena final : public Lock {
 public:
  std::string hold() override {
    ::mallopt(M_ARENA_MAX, most_arenas);
    const std::string proof = hold_in_kernel(be_caught_in_malloc, "userfault");
    if (is_in_main_arena(block_of_holder)) throw HarnessFailure("not proved: the holder's arena is not the main one");
    return proof + ", inside malloc in an arena that is not the main one";
  }
  void touch() override {
    void* block = block_of_holder.exchange(nullptr);
    std::free(block != nullptr ? block : std::malloc(own_block));
  }
};

}  // namespace

std::unique_ptr<Lock> make_malloc_arena() { return std::make_unique<MallocArena>(); }

}  // namespace forkproof::faults
