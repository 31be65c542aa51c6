#include "harness/fuzz/schedules.h"

#include "harness/core/schedule.h"

namespace forkproof::fuzz {
namespace {

rc::Gen<std::uint64_t> seeds() { return rc::gen::inRange<std::uint64_t>(1, 1'000'000); }

}  // namespace

rc::Gen<std::string> any_schedule() {
  const auto random = rc::gen::map(seeds(), [](std::uint64_t seed) { return text(Schedule(RandomOrder{seed})); });
  const auto pct = rc::gen::map(rc::gen::pair(seeds(), rc::gen::inRange<std::uint64_t>(0, 4)), [](const auto& drawn) {
    return text(Schedule(PctOrder{drawn.first, drawn.second}));
  });
  return rc::gen::weightedOneOf<std::string>({{4, rc::gen::just(std::string())}, {1, random}, {3, pct}});
}

}  // namespace forkproof::fuzz
