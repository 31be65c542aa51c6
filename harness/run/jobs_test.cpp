#include "harness/run/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace forkproof::run {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

Cell cell(const std::string& scenario, const std::string& backend) {
  Cell made;
  made.one.scenario = made.asked = scenario;
  made.one.subject = ModelSupervisor{Profile{}, backend};
  return made;
}

std::vector<Cell> cells(std::size_t forked, std::size_t execed) {
  std::vector<Cell> made;
  for (std::size_t i = 0; i < std::max(forked, execed); ++i) {
    if (i < forked) made.push_back(cell("first", "fork"));
    if (i < execed) made.push_back(cell("second", i % 2 == 0 ? "fork-exec" : "posix-spawn"));
  }
  return made;
}

std::string complaint(const std::string& written) {
  KnobFilter filter;
  try {
    add_knob(written, &filter);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(Jobs, DivideByWhetherTheChildIsAFreshImage) {
  const auto jobs = jobs_for(cells(3, 4));
  ASSERT_THAT(jobs, SizeIs(2));
  EXPECT_EQ(jobs[0].name, "bare fork");
  EXPECT_THAT(jobs[0].scenarios, ElementsAre("first"));
  EXPECT_THAT(jobs[0].backends, ElementsAre("fork"));
  EXPECT_EQ(jobs[0].cells, 3U);
  EXPECT_EQ(jobs[1].name, "fresh image");
  EXPECT_THAT(jobs[1].backends, ElementsAre("fork-exec", "posix-spawn"));
  EXPECT_EQ(jobs[1].cells, 4U);
}

TEST(Jobs, NothingMakesNoJob) {
  EXPECT_THAT(jobs_for({}), SizeIs(0));
  EXPECT_THAT(jobs_for(cells(1, 0)), SizeIs(1));
}

TEST(Jobs, ManyCellsAreCutIntoShardsThatHoldAllOfThem) {
  const auto jobs = jobs_for(cells(2 * most_cells + 1, 1));
  ASSERT_THAT(jobs, SizeIs(4));
  std::size_t sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(jobs[i].shard, i + 1);
    EXPECT_EQ(jobs[i].shards, 3U);
    EXPECT_LE(jobs[i].cells, most_cells);
    sum += jobs[i].cells;
  }
  EXPECT_EQ(sum, 2 * most_cells + 1);
  EXPECT_EQ(jobs[0].name, "bare fork, 1/3");
}

// Any knob will do to show what the filter does; the axis itself is `capture`.
TEST(Knobs, PickCellsByTheirSubjectsPolicy) {
  const Knob& knob = knobs().front();
  Cell first = cell("first", "fork"), second = first;
  knob.set(std::get<ModelSupervisor>(second.one.subject).profile, 1);
  const std::string key(knob.key), word(knob.values[1].word);
  KnobFilter filter;
  EXPECT_TRUE(has_knobs(first, filter)) << "nothing is asked for";
  add_knob(key + "=" + word, &filter);
  EXPECT_FALSE(has_knobs(first, filter));
  EXPECT_TRUE(has_knobs(second, filter));
  add_knob(key + "=" + std::string(knob.values[0].word), &filter);
  EXPECT_TRUE(has_knobs(first, filter)) << "either will do";
  second.one.subject = Command{{"supervisord"}};
  EXPECT_FALSE(has_knobs(second, filter)) << "nobody knows a command's policy";
}

TEST(Knobs, WhatDoesNotExistIsRefusedWithTheNearestName) {
  const Knob& knob = knobs().front();
  const std::string key(knob.key), word(knob.values[0].word);
  EXPECT_THAT(complaint(key + "x=" + word), HasSubstr("did you mean '" + key + "'?"));
  EXPECT_THAT(complaint(key + "=" + word + "x"), HasSubstr("did you mean '" + word + "'?"));
  EXPECT_THAT(complaint(key), HasSubstr("wants KNOB=VALUE"));
  EXPECT_THAT(complaint(key + "="), HasSubstr("wants KNOB=VALUE"));
}

}  // namespace
}  // namespace forkproof::run
