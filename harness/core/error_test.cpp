#include "harness/core/error.h"

#include <gtest/gtest.h>

#include <vector>

namespace forkproof {
namespace {

const std::vector<std::string> roles{"helper", "task-runner", "role"};

TEST(EditDistance, CountsInsertionsDeletionsAndChanges) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("rol", "role"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);  // the textbook's: two changes, one insertion
}

TEST(EditDistance, IsTheSameBothWays) { EXPECT_EQ(edit_distance("sitting", "kitten"), 3U); }

TEST(Nearest, FindsTheMistypedWord) {
  EXPECT_EQ(nearest("helpr", roles), "helper");
  EXPECT_EQ(nearest("task_runner", roles), "task-runner");
}

TEST(Nearest, OfTwoItTakesTheNearer) {
  EXPECT_EQ(nearest("rolle", std::vector<std::string>{"rote", "role"}), "role");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("questionnaire", roles), "");
  EXPECT_EQ(nearest("helper", std::vector<std::string>{}), "");
}

TEST(ErrorText, EndsInTheSystemsWords) {
  EXPECT_EQ(error_text("open /x", ENOENT), "open /x: No such file or directory");
  errno = EBADF;
  EXPECT_EQ(error_text("close"), "close: Bad file descriptor");
}

TEST(Fail, IsTheHarnessesFault) { EXPECT_THROW(fail("fork", EAGAIN), HarnessFailure); }

}  // namespace
}  // namespace forkproof
