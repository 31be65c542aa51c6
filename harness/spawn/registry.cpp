#include <array>

#include "harness/spawn/backend.h"

namespace forkproof::spawn {

#define FORKPROOF_BACKEND(name, ...) std::unique_ptr<Backend> make_##name();
#include "harness/spawn/backends.def"
#undef FORKPROOF_BACKEND

std::span<const BackendRow> backends() {
  static constexpr BackendRow rows[] = {
#define FORKPROOF_BACKEND(name, key, execs, waits, about) {key, execs, waits, about, make_##name},
#include "harness/spawn/backends.def"
#undef FORKPROOF_BACKEND
  };
  return rows;
}

const BackendRow* find_backend(std::string_view key) {
  for (const BackendRow& row : backends()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace forkproof::spawn
