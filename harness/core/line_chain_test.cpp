#include "harness/core/line_chain.h"

#include <gtest/gtest.h>

#include <vector>

namespace forkproof {
namespace {

std::vector<std::string> three_lines() {
  LineChain chain;
  return {chain.sealed("{\"a\":1}\n"), chain.sealed("{\"a\":2}\n"), chain.sealed("{\"a\":1}\n")};
}

bool all_follow(const std::vector<std::string>& lines) {
  LineChain chain;
  bool all = true;
  for (const std::string& line : lines) all = chain.follows(std::string_view(line).substr(0, line.find('\n'))) && all;
  return all;
}

TEST(LineChain, WhatItSealsFollows) {
  EXPECT_TRUE(all_follow(three_lines()));
  EXPECT_NE(three_lines()[0], three_lines()[2]) << "the same words at another place have another sum";
}

TEST(LineChain, ALineThatIsMissingMovedOrRepeatedDoesNot) {
  const auto lines = three_lines();
  EXPECT_FALSE(all_follow({lines[1], lines[2]}));
  EXPECT_FALSE(all_follow({lines[0], lines[2]}));
  EXPECT_FALSE(all_follow({lines[1], lines[0], lines[2]}));
  EXPECT_FALSE(all_follow({lines[0], lines[0], lines[1], lines[2]}));
  EXPECT_FALSE(all_follow({lines[0], lines[1], lines[2], lines[2]}));
  EXPECT_FALSE(all_follow({lines[0], "{\"a\":2}\n", lines[2]})) << "no sum";
  EXPECT_FALSE(all_follow({lines[0], "", lines[1], lines[2]})) << "an empty line";
}

TEST(LineChain, NoByteCanBeChanged) {
  const auto lines = three_lines();
  for (std::size_t which = 0; which < lines.size(); ++which) {
    for (std::size_t at = 0; at + 1 < lines[which].size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        auto damaged = lines;
        damaged[which][at] = static_cast<char>(damaged[which][at] ^ (1 << bit));
        EXPECT_FALSE(all_follow(damaged)) << damaged[which];
      }
    }
  }
}

TEST(LineChain, OnceBrokenItStaysSo) {
  LineChain chain, twin;
  EXPECT_FALSE(chain.follows("{}"));
  std::string line = twin.sealed("{\"a\":1}\n");
  line.pop_back();
  EXPECT_FALSE(chain.follows(line));
}

TEST(LineChain, ACopyGoesOn) {
  LineChain first;
  std::string one = first.sealed("{\"a\":1}\n");
  LineChain second = first;
  EXPECT_TRUE(all_follow({one, second.sealed("{\"a\":2}\n")}));
}

}  // namespace
}  // namespace forkproof
