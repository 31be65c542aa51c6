#include "harness/core/schedule.h"

#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace forkproof {
namespace {

TEST(Schedule, EachKindComesBackFromItsText) {
  for (const char* written : {"", "random:0", "random:18446744073709551615", "pct:7:0", "pct:7:99", "s", "sab.a0"}) {
    EXPECT_EQ(text(schedule_from(written)), written);
  }
  EXPECT_TRUE(std::holds_alternative<AsItComes>(schedule_from("")));
  EXPECT_EQ(schedule_from("random:5"), Schedule(RandomOrder{5}));
  EXPECT_EQ(schedule_from("pct:5:2"), Schedule(PctOrder{5, 2}));
  EXPECT_EQ(schedule_from("random"), Schedule(ExplicitOrder{"random"}));  // no colon: letters
}

TEST(Schedule, WhatIsNoneIsRefused) {
  for (const char* wrong : {"random:", "random:x", "random:18446744073709551616", "random:1:2", "pct:1", "pct:1:100", "pct::1",
                            "pct:1:", "pct:1:2:3", "fifo:1", ":", "a b", "ä", "a,b"}) {
    EXPECT_THROW((void)schedule_from(wrong), BadInput) << wrong;
  }
  EXPECT_THROW((void)schedule_from(std::string(most_decisions + 1, 'a')), BadInput);
  EXPECT_NO_THROW((void)schedule_from(std::string(most_decisions, 'a')));
}

/// What is said of a schedule for a tree of so many nodes; empty when nothing is.
std::string complaint(const std::string& text, std::size_t nodes) {
  try {
    check_schedule(text, nodes);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(Schedule, ALetterThatNobodyHasIsRefused) {
  EXPECT_EQ(complaint("", 1), "");
  EXPECT_EQ(complaint("sa.a", 1), "");
  EXPECT_EQ(complaint("sab", 2), "");
  EXPECT_EQ(complaint("random:3", 1), "");
  EXPECT_NE(complaint("sab", 1).find("'b' is nobody's letter: the tree has 1 process, a;"), std::string::npos) << complaint("sab", 1);
  EXPECT_NE(complaint("zzz", 3).find("'z' is nobody's letter: the tree has 3 processes, a to c;"), std::string::npos) << complaint("zzz", 3);
  EXPECT_NE(complaint("s", most_scheduled_nodes + 1), "");
  EXPECT_LT(complaint(std::string(9'000, 'z'), 3).size(), 500U);
}

TEST(Schedule, ForASmallerTreeItHasNoLetterThatNobodyHas) {
  EXPECT_EQ(schedule_for("sabca", 2), "sab.a");
  EXPECT_EQ(schedule_for("sab", 2), "sab");
  EXPECT_EQ(schedule_for("random:7", 1), "random:7");
  EXPECT_EQ(schedule_for("", 1), "");
}

TEST(Schedule, LettersAndNodesAreOneToOne) {
  EXPECT_EQ(letter_of(-1), 's');
  EXPECT_EQ(letter_of(0), 'a');
  EXPECT_EQ(letter_of(18), 't');  // s is taken
  EXPECT_EQ(letter_of(static_cast<std::int32_t>(most_scheduled_nodes)), '?');
  EXPECT_EQ(node_of('?'), -2);
  EXPECT_EQ(node_of('.'), -2);
  for (std::int32_t node = -1; node < static_cast<std::int32_t>(most_scheduled_nodes); ++node) {
    EXPECT_EQ(node_of(letter_of(node)), node);
  }
}

TEST(Schedule, OfAHistoryIsItsDecisionsAlone) {
  History history;
  EXPECT_EQ(schedule_of(history), "");
  history.append({Nanos{}, Scheduled{1, 0, 2, "s", "supervisor", "spawning", true, {}}});
  history.append({Nanos{}, Scheduled{2, 1, 3, "a", "task", "forked", true, {}}});
  history.append({Nanos{}, Scheduled{3, 2, 2, "s", "supervisor", "spawned", true, {}}});
  history.append({Nanos{}, Scheduled{4, 0, 3, "a", "task", "hello", true, {}}});
  EXPECT_EQ(schedule_of(history), "as");
}

}  // namespace
}  // namespace forkproof
