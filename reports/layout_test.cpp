#include "reports/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

namespace forkproof::reports {
namespace {

TEST(Wrapped, BreaksAtSpacesAndIndents) {
  const std::string words = "a word and another " + std::string(60, 'x') + " end";
  EXPECT_EQ(wrapped("head: ", words), "head: a word and another\n      " + std::string(60, 'x') + " end\n");
  EXPECT_EQ(wrapped("head: ", words, 2), "head: a word and another\n  " + std::string(60, 'x') + " end\n");
}

TEST(Wrapped, AWordThatNoLineHoldsStandsWhole) {
  EXPECT_EQ(wrapped("  ", std::string(100, 'x')), "  " + std::string(100, 'x') + "\n");
  EXPECT_EQ(wrapped("head ", std::string(100, 'x'), 2), "head\n  " + std::string(100, 'x') + "\n");
}

TEST(Wrapped, NothingIsAHeadAlone) { EXPECT_EQ(wrapped("head", ""), "head\n"); }

RC_GTEST_PROP(Wrapped, NoLineThatCouldBreakIsTooLong, (std::vector<std::uint8_t> lengths)) {
  std::string text;
  for (const std::uint8_t length : lengths) text += std::string(length % 40, 'x') + " ";
  std::istringstream lines(wrapped("    head: ", text, 6));
  for (std::string line; std::getline(lines, line);) RC_ASSERT(line.size() <= columns);
}

TEST(WrappedCommand, GoesOnBehindABackslash) {
  EXPECT_EQ(wrapped_command(4, {"repro", "heartbeat-409"}), "    repro heartbeat-409\n");
  const std::string option = "--profile " + std::string(50, 'p');
  EXPECT_EQ(wrapped_command(4, {"repro", "heartbeat-409", option, "--seed 2"}),
            "    repro heartbeat-409 \\\n      " + option + " --seed 2\n");
}

TEST(Clipped, SaysThatItWasCut) {
  EXPECT_EQ(clipped("abcdef", 6), "abcdef");
  EXPECT_EQ(clipped("abcdefg", 6), "abc...");
}

TEST(Printable, KeepsTextAndLines) { EXPECT_EQ(printable("plain, Füße, 語, 🐛\nnext"), "plain, Füße, 語, 🐛\nnext"); }

TEST(Printable, NoControlCharacterGetsThrough) {
  EXPECT_EQ(printable("\x1b[31mred\a\r\t\x7f"), "?[31mred????");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "?31m") << "C1, which some terminals obey";
  EXPECT_EQ(printable(std::string("\0", 1)), "?");
}

TEST(Printable, WhatIsNoUtf8BecomesAQuestionMark) {
  EXPECT_EQ(printable("a\xff" "b"), "a?b");
  EXPECT_EQ(printable("\xc3"), "?") << "cut off";
  EXPECT_EQ(printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(printable("\xef\xbf\xbf"), "???") << "U+FFFF, which XML forbids";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "beyond Unicode";
}

}  // namespace
}  // namespace forkproof::reports
