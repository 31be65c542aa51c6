#include "harness/core/crash_lines.h"

#include <gtest/gtest.h>

namespace forkproof {
namespace {

TEST(CrashLines, EachRowIsWhole) {
  for (const CrashLineRow& row : crash_lines()) {
    EXPECT_EQ(find_crash_line(row.key), &row);
    EXPECT_TRUE(row.exit_code != 0 || row.signal != 0) << row.key;
    EXPECT_FALSE(row.opening.empty() || row.programs.empty()) << row.key;
  }
  EXPECT_EQ(find_crash_line("cobol"), nullptr);
}

TEST(CrashLines, ARuntimeEndsInItsOwnWay) {
  const CrashLineRow& rust = *find_crash_line("rust");
  EXPECT_TRUE(is_end_of(rust, WaitStatus::exited_with(101)));
  EXPECT_TRUE(is_end_of(rust, WaitStatus::killed_by(6)));
  EXPECT_FALSE(is_end_of(rust, WaitStatus::exited_with(1)));
  EXPECT_FALSE(is_end_of(rust, WaitStatus::exited_with(0)));
  EXPECT_EQ(end_words(rust), "exit 101 or SIGABRT");
}

TEST(CrashLines, AProgramIsOfARuntimeByItsFileName) {
  const CrashLineRow &python = *find_crash_line("python"), &panic = *find_crash_line("go-panic");
  EXPECT_TRUE(can_be_run_by(python, "/usr/bin/python3.11"));
  EXPECT_TRUE(can_be_run_by(python, "python3"));
  EXPECT_FALSE(can_be_run_by(python, "/usr/bin/bash"));
  EXPECT_TRUE(can_be_run_by(panic, "/opt/runner"));
  EXPECT_FALSE(can_be_run_by(panic, "/bin/sh"));
}

}  // namespace
}  // namespace forkproof
