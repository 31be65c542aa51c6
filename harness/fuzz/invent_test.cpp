#include "harness/fuzz/invent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/history.h"
#include "harness/faults/fault.h"
#include "harness/fuzz/coverage.h"
#include "harness/fuzz/invent_tree.h"
#include "harness/run/plan.h"
#include "harness/scenario/scenario_writer.h"

namespace forkproof::fuzz {
namespace {

class Invent : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("FORKPROOF_SCENARIOS", FORKPROOF_SOURCE "/scenarios", 1); }
  Space space = space_over("exemplary", {}, false);
};

/// FNV-1a over what the tree does, without what is drawn from tables that grow.
std::uint64_t hash_of(const TaskNode& tree, std::uint64_t hash) {
  const std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {};", tree.role, word(tree.on_term), word(tree.on_int), tree.keeps, tree.own_session,
      tree.double_fork, tree.ends_with_children, tree.output_bytes, tree.write_size_bytes, tree.exit_code,
      tree.exits_after ? tree.exits_after->count() : -1);
  for (const TaskNode& child : tree.children) hash = hash_of(child, hash);
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return hash;
}

TEST_F(Invent, IsAPureFunctionOfSeedAndIndex) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    EXPECT_EQ(invent(space, 7, index), invent(space, 7, index));
  }
  EXPECT_NE(to_document(invent(space, 7, 1)), to_document(invent(space, 8, 1)));
}

// The golden value stands for "on every machine": it changes with the generators, and with nothing else.
TEST_F(Invent, InventsTheSameCasesEverywhere) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::uint64_t index = 0; index < 200; ++index) hash = hash_of(invent(space, 1, index).tree, hash);
  EXPECT_EQ(hash, 6536680172659258511ULL);
}

TEST_F(Invent, DrawsEachWordOfTheVocabularySoonerOrLater) {
  Coverage coverage(space);
  for (std::uint64_t index = 0; index < 20'000; ++index) coverage.add(invent(space, 1, index));
  for (const auto& [word, count] : coverage.words()) EXPECT_GE(count, 3U) << word;
  EXPECT_EQ(coverage.percent(), 100.0);
}

TEST_F(Invent, ANarrowerChoiceOfBackendsChangesNothingOfWhatItKeeps) {
  const Space narrow = space_over("exemplary", {"posix-spawn"}, false);
  for (std::uint64_t index = 0; index < 300; ++index) {
    const Case one = invent(space, 1, index);
    if (one.backend_name() == "posix-spawn") {
      EXPECT_EQ(one, invent(narrow, 1, index)) << index;
    }
  }
}

TEST_F(Invent, CanBeWrittenAsAScenarioAndReadBackAsTheSameCase) {
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Case one = invent(space, 1, index);
    const auto read = scenario::read_scenario_text(scenario::write_scenario(one, {}), "fuzz.toml", run::vocabulary());
    Case again = run::make_case(read, space.profile, one.backend_name(), read.seed.value_or(1));
    again.scenario = one.scenario, again.question = one.question;
    EXPECT_EQ(to_document(again), to_document(one)) << index;
  }
}

TEST_F(Invent, WithoutHazardsNoFaultIsDrawnThatTheCatalogueExpectsToBreakExemplary) {
  const FaultSpec lock{"fork-after-thread", {{"lock", std::string("std-mutex")}}};
  EXPECT_FALSE(may_have(space, lock, "fork", Model::task_supervisor));
  EXPECT_TRUE(may_have(space, lock, "fork-exec", Model::task_supervisor));
  // Its workers leave the runtime out where it does harm; a task cannot.
  const FaultSpec title{"runtime-in-child", {{"runtime", std::string("setproctitle")}}};
  EXPECT_TRUE(may_have(space, title, "fork", Model::prefork_master));
  EXPECT_FALSE(may_have(space, title, "fork", Model::task_supervisor));
  for (std::uint64_t index = 0; index < 2'000; ++index) {
    const Case one = invent(space, 3, index);
    for (const FaultSpec& fault : one.faults) EXPECT_TRUE(may_have(space, fault, one.backend_name(), std::get<ModelSupervisor>(one.subject).profile.model)) << index;
  }
}

TEST_F(Invent, WithHazardsTheyAreDrawn) {
  const Space all = space_over("exemplary", {}, true);
  bool any = false;
  for (std::uint64_t index = 0; index < 2'000; ++index) {
    const Case one = invent(all, 3, index);
    for (const FaultSpec& fault : one.faults) any |= !may_have(space, fault, one.backend_name(), std::get<ModelSupervisor>(one.subject).profile.model);
  }
  EXPECT_TRUE(any);
}

/// A setting's words stand beside its fault, and what they name in the same file.
TEST(FaultWords, EachNamesAFaultThatCanBeMade) {
  for (const faults::FaultRow& row : faults::faults()) {
    for (const Setting& setting : row.settings) {
      if (!row.in_subject || setting.words.empty()) continue;
      std::istringstream words{std::string(setting.words)};
      for (std::string each; words >> each;) {
        const FaultSpec fault{std::string(row.key), {{std::string(setting.key), each}}};
        EXPECT_NE(row.make(fault), nullptr) << row.key << " " << each;
      }
    }
  }
}

TEST(EndsByItself, AsTheFixtureDoes) {
  TaskNode node;
  EXPECT_FALSE(ends_by_itself(node));
  node.ends_with_children = true;
  EXPECT_TRUE(ends_by_itself(node));
  node.children.emplace_back();
  EXPECT_FALSE(ends_by_itself(node));
  node.children[0].double_fork = true;  // its parent on the way ends at once
  EXPECT_TRUE(ends_by_itself(node));
  node.sigint = SigintSetup::stopped;
  EXPECT_FALSE(ends_by_itself(node));
}

}  // namespace
}  // namespace forkproof::fuzz
