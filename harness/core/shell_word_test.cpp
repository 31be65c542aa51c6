#include "harness/core/shell_word.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

TEST(ShellWord, IsBareWhereNothingIsSpecial) {
  EXPECT_EQ(shell_word("/usr/bin/env"), "/usr/bin/env");
  EXPECT_EQ(shell_word("--kill-after=5"), "--kill-after=5");
}

TEST(ShellWord, IsQuotedElse) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$x"), "'$x'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

TEST(ShellLine, QuotesEachWord) { EXPECT_EQ(shell_line({"sh", "-c", "a && b"}), "sh -c 'a && b'"); }

}  // namespace
}  // namespace forkproof
