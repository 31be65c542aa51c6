// What is found in output that runtimes have really printed, and in output that only looks like it.
#include "harness/run/crash_scan.h"

#include <gtest/gtest.h>

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;

std::optional<CrashLineSeen> scanned(const std::string& output, std::size_t at_a_time) {
  CrashScan scan;
  for (std::size_t i = 0; i < output.size(); i += at_a_time) scan.read(std::string_view(output).substr(i, at_a_time), 1ms);
  return scan.found();
}

/// However the output is cut into reads, the same is found.
std::optional<CrashLineSeen> scanned(const std::string& output) {
  const auto whole = scanned(output, output.size());
  for (const std::size_t size : {1U, 7U, 64U}) {
    const auto cut = scanned(output, size);
    EXPECT_EQ(cut.has_value(), whole.has_value());
    if (cut && whole) EXPECT_EQ(cut->line + cut->detail + cut->next, whole->line + whole->detail + whole->next);
  }
  return whole;
}

const std::string python =
    "runner: stopping\nTraceback (most recent call last):\n  File \"/t.py\", line 2, in <module>\n    f()\n"
    "    ^^^\nValueError: I/O operation on closed epoll object\n";

TEST(CrashScan, PythonsTraceback) {
  const auto found = scanned(python);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->runtime, "python");
  EXPECT_EQ(found->detail, "ValueError: I/O operation on closed epoll object");
  EXPECT_EQ(found->before, "runner: stopping");
  EXPECT_EQ(found->next, "");
}

TEST(CrashScan, WhatFollowsIsTold) {
  const auto found = scanned(python + "runner: trying again\nrunner: and again\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->next, "runner: trying again");
}

TEST(CrashScan, TheTasksOutputIsNobodysNextLine) {
  const auto found = scanned(python + std::string(4095, 'x') + "\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->next, "");
}

TEST(CrashScan, OfChainedTracebacksTheLastCounts) {
  const auto found = scanned(python + "\nDuring handling of the above exception, another exception occurred:\n\n" + python);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->next, "");
  EXPECT_EQ(found->detail, "ValueError: I/O operation on closed epoll object");
}

TEST(CrashScan, EachRuntimesOwnWords) {
  const std::pair<const char*, const char*> reports[] = {
      {"node", "/t.js:1\nthrow new Error(\"x\")\n^\n\nError: x\n    at node:internal/main:28:49\n\nNode.js v20.20.2\n"},
      {"rust", "\nthread 'main' (24893) panicked at t.rs:1:12:\nboom\nnote: run with `RUST_BACKTRACE=1`\n"},
      {"rust", "thread 'main' panicked at 'boom', t.rs:1:12\n"},
      {"java", "Exception in thread \"main\" java.lang.RuntimeException: x\n\tat T.main(T.java:1)\n"},
      {"c++", "terminate called after throwing an instance of 'std::runtime_error'\n  what():  x\n"},
      {"go-panic", "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/t.go:3 +0x27\nexit status 2\n"},
      {"go-fatal-error", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n"},
      {"ruby", "t.rb:1:in `f': x (RuntimeError)\n\tfrom t.rb:2:in `<main>'\n"},
      {"python-group", "  + Exception Group Traceback (most recent call last):\n  |   File \"t.py\"\n  | ExceptionGroup: x (1 sub-exception)\n"
                       "  +-+---------------- 1 ----------------\n    | ValueError: y\n    +------------------------------------\n"},
      {"erlang", "\r\nCrash dump is being written to: erl_crash.dump...done\r\n"},
      {"php", "PHP Fatal error:  Uncaught Exception: x in /t.php:1\nStack trace:\n#0 {main}\n  thrown in /t.php on line 1\n"},
  };
  for (const auto& [runtime, report] : reports) {
    const auto found = scanned(report);
    ASSERT_TRUE(found) << runtime;
    EXPECT_EQ(found->runtime, runtime);
    EXPECT_EQ(found->next, "") << runtime;
  }
}

TEST(CrashScan, OrdinaryOutputIsNone) {
  EXPECT_FALSE(scanned("all is well\npanic\nTraceback\n  Traceback (most recent call last):\nINFO panic: none\nthread main\n"));
  EXPECT_FALSE(scanned(""));
}

TEST(CrashScan, AnEndlessLineCostsNoMemory) {
  CrashScan scan;
  const std::string block(65'536, 'x');
  for (int i = 0; i < 1000; ++i) scan.read(block, 1ms);
  EXPECT_FALSE(scan.found());
}

}  // namespace
}  // namespace forkproof::run
