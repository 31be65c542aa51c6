#include "harness/spawn/backend.h"

namespace forkproof::spawn {

#define FORKPROOF_BACKEND(name, ...) std::unique_ptr<Backend> make_##name();
#include "harness/spawn/backends.def"
#undef FORKPROOF_BACKEND

namespace {

constexpr BackendRow row(std::string_view key, unsigned traits, std::string_view about,
                         std::unique_ptr<Backend> (*make)()) {
  return {key, (traits & execs) != 0, (traits & waits_for_exec) != 0, (traits & resets_signals) != 0,
          (traits & sidecar_is_parent) != 0, about, make};
}

}  // namespace

std::span<const BackendRow> backends() {
  static constexpr BackendRow rows[] = {
#define FORKPROOF_BACKEND(name, key, traits, about) row(key, traits, about, make_##name),
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

std::span<const ReservedRow> reserved_backends() {
  static constexpr ReservedRow rows[] = {
#define FORKPROOF_RESERVED(key, instead, because) {key, instead, because},
#include "harness/spawn/reserved.def"
#undef FORKPROOF_RESERVED
  };
  return rows;
}

std::string reserved_backend(std::string_view key) {
  for (const ReservedRow& row : reserved_backends()) {
    if (row.key != key) continue;
    return "spawn backend '" + std::string(key) + "' is reserved: " + std::string(row.because) + ". Use '" +
           std::string(row.instead) + "'";
  }
  return {};
}

}  // namespace forkproof::spawn
