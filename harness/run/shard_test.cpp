// Which part of the work is ours: of the option, of each engine's variables, and what contradicts itself.
#include "harness/run/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <rapidcheck/gtest.h>

#include "harness/core/error.h"
#include "harness/run/identity.h"

namespace forkproof::run {
namespace {

using Variables = std::map<std::string, std::string>;

Shard shard(const std::string& option, const Variables& variables = {}) {
  return read_shard(option, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

/// What is said to it; empty: it was understood.
std::string refusal(const std::string& option, const Variables& variables = {}) {
  try {
    (void)shard(option, variables);
    return "";
  } catch (const BadInput& error) {
    return error.what();
  }
}

std::vector<Cell> numbered_cells(std::size_t count) {
  std::vector<Cell> cells(count);
  for (std::size_t i = 0; i < count; ++i) cells[i].one.scenario = std::to_string(i), cells[i].place = i;
  return cells;
}

TEST(Shard, NobodySaidAnything) { EXPECT_EQ(shard(""), (Shard{1, 1, ""})); }

TEST(Shard, AnEmptyVariableIsNotSet) {
  EXPECT_EQ(shard("", {{"GTEST_SHARD_INDEX", ""}, {"GTEST_TOTAL_SHARDS", ""}}), (Shard{1, 1, ""}));
}

TEST(Shard, TheOption) { EXPECT_EQ(shard("2/3"), (Shard{2, 3, "--shard"})); }

TEST(Shard, TheOptionComesBeforeAnyEnvironmentEvenABrokenOne) {
  EXPECT_EQ(shard("1/1", {{"GTEST_SHARD_INDEX", "7"}}), (Shard{1, 1, "--shard"}));
}

TEST(Shard, GoogleTestCountsFromZero) {
  EXPECT_EQ(shard("", {{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "4"}}), (Shard{1, 4, "GTEST_SHARD_INDEX"}));
  EXPECT_EQ(shard("", {{"GTEST_SHARD_INDEX", "3"}, {"GTEST_TOTAL_SHARDS", "4"}}), (Shard{4, 4, "GTEST_SHARD_INDEX"}));
}

// sbatch --array=0-3, =1-4 and =10-40:10
TEST(Shard, SlurmCountsAsTheArraySays) {
  const auto task = [](const char* id, const char* least, const char* step) {
    return shard("", {{"SLURM_ARRAY_TASK_ID", id}, {"SLURM_ARRAY_TASK_COUNT", "4"},
                      {"SLURM_ARRAY_TASK_MIN", least}, {"SLURM_ARRAY_TASK_STEP", step}}).index;
  };
  EXPECT_EQ(task("0", "0", "1"), 1U);
  EXPECT_EQ(task("3", "", ""), 4U);
  EXPECT_EQ(task("1", "1", "1"), 1U);
  EXPECT_EQ(task("4", "1", "1"), 4U);
  EXPECT_EQ(task("30", "10", "10"), 3U);
}

// sbatch --array=1,3,7: COUNT is 3 and the numbers have holes, so 7 is none of 1, 2, 3.
TEST(Shard, AnArrayWithHolesIsRefused) {
  EXPECT_THAT(refusal("", {{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_COUNT", "3"}, {"SLURM_ARRAY_TASK_MIN", "1"},
                           {"SLURM_ARRAY_TASK_STEP", "1"}}),
              testing::HasSubstr("SLURM_ARRAY_TASK_ID=7: not one of 3 numbers from 1"));
}

TEST(Shard, KubernetesCountsFromZero) {
  EXPECT_EQ(shard("", {{"JOB_COMPLETION_INDEX", "2"}, {"JOB_COMPLETIONS", "3"}}), (Shard{3, 3, "JOB_COMPLETION_INDEX"}));
  EXPECT_THAT(refusal("", {{"JOB_COMPLETION_INDEX", "2"}}), testing::HasSubstr("without JOB_COMPLETIONS"));
}

TEST(Shard, GitLabCountsFromOne) {
  EXPECT_EQ(shard("", {{"CI_NODE_INDEX", "1"}, {"CI_NODE_TOTAL", "3"}}), (Shard{1, 3, "CI_NODE_INDEX"}));
  EXPECT_NE(refusal("", {{"CI_NODE_INDEX", "0"}, {"CI_NODE_TOTAL", "3"}}), "");
}

// docs.gitlab.com, predefined variables: CI_NODE_TOTAL is 1, and there is no index, where a job is not parallel.
TEST(Shard, AGitLabJobThatIsNotParallelIsAllOfIt) {
  EXPECT_EQ(shard("", {{"CI_NODE_TOTAL", "1"}}), (Shard{1, 1, ""}));
  EXPECT_THAT(refusal("", {{"CI_NODE_TOTAL", "2"}}), testing::HasSubstr("CI_NODE_TOTAL=2 without CI_NODE_INDEX"));
}

TEST(Shard, HalfOfAPairIsRefused) {
  EXPECT_THAT(refusal("", {{"GTEST_SHARD_INDEX", "0"}}), testing::HasSubstr("GTEST_SHARD_INDEX=0 without GTEST_TOTAL_SHARDS"));
  EXPECT_THAT(refusal("", {{"GTEST_TOTAL_SHARDS", "2"}}), testing::HasSubstr("GTEST_TOTAL_SHARDS=2 without GTEST_SHARD_INDEX"));
}

TEST(Shard, TwoEnginesMayAgreeButNotDiffer) {
  Variables both{{"GTEST_SHARD_INDEX", "1"}, {"GTEST_TOTAL_SHARDS", "4"}, {"CI_NODE_INDEX", "2"}, {"CI_NODE_TOTAL", "4"}};
  EXPECT_EQ(shard("", both).index, 2U);
  both["CI_NODE_INDEX"] = "3";
  EXPECT_THAT(refusal("", both), testing::HasSubstr("GTEST_SHARD_INDEX says shard 2/4 and CI_NODE_INDEX says 3/4"));
}

TEST(Shard, NumbersAreNumbersWithinTheirCount) {
  for (const char* index : {"-1", "4", "1x", " 1", "99999999999999999999"}) {
    EXPECT_NE(refusal("", {{"GTEST_SHARD_INDEX", index}, {"GTEST_TOTAL_SHARDS", "4"}}), "") << index;
  }
  EXPECT_NE(refusal("", {{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "0"}}), "");
  EXPECT_NE(refusal("", {{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "10001"}}), "");
}

TEST(Shard, OneThatWouldBeEmptyIsRefused) {
  EXPECT_EQ(part_of(numbered_cells(3), {3, 3, "--shard"}).size(), 1U);
  EXPECT_THROW(part_of(numbered_cells(3), {4, 4, "--shard"}), BadInput);
}

RC_GTEST_PROP(Shard, AllOfThemAreTheWholeEachCellOnceAndInOrder, ()) {
  const std::size_t size = *rc::gen::inRange<std::size_t>(1, 200);
  const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(1, size + 1);
  std::vector<int> seen(size);
  for (std::uint64_t index = 1; index <= count; ++index) {
    std::uint64_t before = 0;
    for (const Cell& cell : part_of(numbered_cells(size), {index, count, ""})) {
      RC_ASSERT((Shard{index, count, ""}.has(cell.place)));
      RC_ASSERT(cell.place >= before);
      before = cell.place;
      ++seen[cell.place];
    }
  }
  RC_ASSERT(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
}

RC_GTEST_PROP(Shard, NoTwoDifferInSizeByMoreThanOne, ()) {
  const std::size_t size = *rc::gen::inRange<std::size_t>(2, 200);
  const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(1, size + 1);
  const auto part = [&](std::uint64_t index) { return part_of(numbered_cells(size), {index, count, ""}).size(); };
  RC_ASSERT(part(1) - part(count) <= 1);
}

RC_GTEST_PROP(Shard, EachEngineSaysWhatTheOptionWouldSay, ()) {
  const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(1, most_shards + 1);
  const std::uint64_t index = *rc::gen::inRange<std::uint64_t>(1, count + 1);
  const std::uint64_t least = *rc::gen::inRange<std::uint64_t>(0, 1000), step = *rc::gen::inRange<std::uint64_t>(1, 50);
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  const Shard wanted = shard(text(index) + "/" + text(count));
  const std::vector<Variables> engines{
      {{"GTEST_SHARD_INDEX", text(index - 1)}, {"GTEST_TOTAL_SHARDS", text(count)}},
      {{"SLURM_ARRAY_TASK_ID", text(least + (index - 1) * step)}, {"SLURM_ARRAY_TASK_COUNT", text(count)},
       {"SLURM_ARRAY_TASK_MIN", text(least)}, {"SLURM_ARRAY_TASK_STEP", text(step)}},
      {{"JOB_COMPLETION_INDEX", text(index - 1)}, {"JOB_COMPLETIONS", text(count)}},
      {{"CI_NODE_INDEX", text(index)}, {"CI_NODE_TOTAL", text(count)}}};
  for (const Variables& engine : engines) {
    RC_ASSERT(shard("", engine).index == wanted.index);
    RC_ASSERT(shard("", engine).count == wanted.count);
  }
}

TEST(PlanId, IsThatOfTheCellsAndTheRuns) {
  const auto cells = numbered_cells(3);
  EXPECT_EQ(plan_id(cells, 1), plan_id(numbered_cells(3), 1));
  EXPECT_NE(plan_id(cells, 1), plan_id(cells, 2));
  EXPECT_NE(plan_id(cells, 1), plan_id(numbered_cells(2), 1));
  auto other = cells;
  other[1].expected.insert("no-orphans");
  EXPECT_NE(plan_id(cells, 1), plan_id(other, 1));
}

// The reference vectors of the FNV page (isthe.com/chongo/tech/comp/fnv) do not end in our 0xff, so: the same algorithm
// worked by hand for no text at all, which is the one step for the end.
TEST(PlanId, IsTheSameOnEveryMachine) { EXPECT_EQ(plan_id(std::string()), "af64724c8602eb6e"); }

TEST(RunId, IsUnlikeAnyOther) { EXPECT_NE(fresh_run_id(), fresh_run_id()); }

}  // namespace
}  // namespace forkproof::run
