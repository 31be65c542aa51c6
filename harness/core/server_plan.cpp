#include "harness/core/server_plan.h"

#include <algorithm>
#include <array>

namespace forkproof {
namespace {
constexpr std::array<std::string_view, 6> words{"status", "reset", "hang", "late", "garbage", "half-close"};
}

std::string_view word(ReplyKind kind) { return words[static_cast<std::size_t>(kind)]; }

std::optional<ReplyKind> reply_kind_from(std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<ReplyKind>(found - words.begin());
}

}  // namespace forkproof
