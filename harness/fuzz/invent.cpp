#include "harness/fuzz/invent.h"

#include <fmt/format.h>
#include <rapidcheck.h>

#include "harness/run/plan.h"

namespace forkproof::fuzz {
namespace {

rc::Gen<TaskNode> trees() {
  return rc::gen::map(rc::gen::inRange(0, 3), [](int helpers) {
    TaskNode root;
    for (int i = 0; i < helpers; ++i) root.children.push_back({.role = fmt::format("helper-{}", i + 1)});
    return root;
  });
}

}  // namespace

Case invent(const Space& space, std::uint64_t seed, std::uint64_t index) {
  const rc::Random random(rc::Random::Key{seed, index, 0, 0});
  const auto drawn = rc::gen::pair(trees(), rc::gen::elementOf(space.backends))(random, rc::kNominalSize).value();
  scenario::Scenario question;
  question.name = fmt::format("fuzz-{}-{}", seed, index);
  question.tree = drawn.first;
  return run::make_case(question, space.profile, drawn.second, index + 1);
}

}  // namespace forkproof::fuzz
