#include "harness/core/proc_stat.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

TEST(ProcStat, ANameMayLookLikeWhatFollowsIt) {
  const auto stat = parse_proc_stat("7 (a) S 1 (b) R 3 4 5 0 -1 4194304 1 2 3 4 11 12 13 14 20 0 6 0 99 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) S 1 (b");
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, 3);
  EXPECT_EQ(stat->group, 4);
  EXPECT_EQ(stat->session, 5);
  EXPECT_EQ(stat->flags, 4194304U);
  EXPECT_EQ(stat->user_ticks, 11U);
  EXPECT_EQ(stat->system_ticks, 12U);
  EXPECT_EQ(stat->threads, 6);
}

TEST(ProcStat, WhatIsCutShortOrEmptyIsNone) {
  EXPECT_FALSE(parse_proc_stat(""));
  EXPECT_FALSE(parse_proc_stat(")("));
  EXPECT_FALSE(parse_proc_stat("7 (a) R 3 4 5 0 -1"));
}

}  // namespace
}  // namespace forkproof
