#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace forkproof {

/// How a task stands to SIGINT, by sigint_setups.def. `none`: what `on_int` says.
enum class SigintSetup : std::uint8_t {
  none,
#define FORKPROOF_SIGINT(enumerator, word, about) enumerator,
#include "harness/core/sigint_setups.def"
#undef FORKPROOF_SIGINT
};
/// One row of sigint_setups.def.
struct SigintRow {
  SigintSetup setup;
  std::string_view word;
  std::string_view about;
};
std::span<const SigintRow> sigint_setups();
/// Empty for `none`.
std::string_view word(SigintSetup setup);

}  // namespace forkproof
