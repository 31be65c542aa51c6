#include "harness/faults/locks/lock.h"

namespace forkproof::faults {

#define FORKPROOF_LOCK(name, key, about) std::unique_ptr<Lock> make_##name();
#include "harness/faults/locks/locks.def"
#undef FORKPROOF_LOCK

std::span<const LockRow> locks() {
  static constexpr LockRow rows[] = {
#define FORKPROOF_LOCK(name, key, about) {key, about, make_##name},
#include "harness/faults/locks/locks.def"
#undef FORKPROOF_LOCK
  };
  return rows;
}

const LockRow* find_lock(std::string_view key) {
  for (const LockRow& row : locks()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace forkproof::faults
