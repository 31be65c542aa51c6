#include "harness/observe/ways/way.h"

namespace forkproof::observe {

#define FORKPROOF_WAY(name, key, sees, misses) std::unique_ptr<Observer> make_##name##_observer(const Post& post);
#include "harness/observe/ways/ways.def"
#undef FORKPROOF_WAY

std::span<const Way> ways() {
  static constexpr Way rows[] = {
#define FORKPROOF_WAY(name, key, sees, misses) {key, sees, misses, make_##name##_observer},
#include "harness/observe/ways/ways.def"
#undef FORKPROOF_WAY
  };
  return rows;
}

const Way* find_way(std::string_view key) {
  for (const Way& way : ways()) {
    if (way.key == key) return &way;
  }
  return nullptr;
}

}  // namespace forkproof::observe
