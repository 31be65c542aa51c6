#include "harness/core/json_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace forkproof {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

template <class Read>
std::string refusal(Read read) {
  try {
    (void)read();
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(ParseJson, SaysLineAndColumnInPlainWords) {
  const std::string says = refusal([] { return parse_json("{\n  \"a\": 1,\n  \"b\": x\n}"); });
  EXPECT_THAT(says, StartsWith("parse error at line 3, column 8"));
  EXPECT_LT(refusal([] { return parse_json("[" + std::string(100'000, '9') + "x]"); }).size(), 1000U);
}

TEST(ParseJson, AKeyThatIsThereTwiceIsRefusedAtItsPlace) {
  EXPECT_EQ(refusal([] { return parse_json(R"({"cells": [{"a": 1}, {"a": 1, "b": 2, "a": 3}]})"); }), "/cells/1/a: this key is there twice");
  EXPECT_EQ(refusal([] { return parse_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}, 3, [{"a": 1}]]})"); }), "") << "in other objects it is another";
}

TEST(ParseJson, WhatIsTooDeepIsRefused) {
  const auto nested = [](int levels) { return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']'); };
  EXPECT_EQ(refusal([&] { return parse_json(nested(200)); }), "");
  EXPECT_THAT(refusal([&] { return parse_json(nested(201)); }), HasSubstr("nested deeper than 200 levels"));
  EXPECT_THAT(refusal([&] { return parse_json(std::string(1'000'000, '[')); }), HasSubstr("nested deeper than 200 levels"));
}

TEST(JsonPlace, ReadsWhatIsThere) {
  const auto document = parse_json(R"({"text": "x", "yes": true, "n": 7, "minus": -7, "half": 0.5, "list": ["a", "b"], "nothing": null})");
  const JsonPlace place(document);
  EXPECT_EQ(place.at("text").text(), "x");
  EXPECT_TRUE(place.at("yes").flag());
  EXPECT_EQ(place.at("n").count(), 7U);
  EXPECT_EQ(place.at("minus").whole(-10, 10), -7);
  EXPECT_EQ(place.at("half").number(0, 1), 0.5);
  EXPECT_EQ(place.at("list").texts(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(place.find("nothing"));
  EXPECT_FALSE(place.find("no such"));
  EXPECT_EQ(place.members().size(), 7U);
}

TEST(JsonPlace, SaysWhereItIsNotSo) {
  const auto document = parse_json(R"({"cells": [{"runs": 1}, {"runs": -1, "name": 3, "huge": 18446744073709551615, "far": 1e300}]})");
  const JsonPlace cell = JsonPlace(document).at("cells").items()[1];
  EXPECT_EQ(refusal([&] { return cell.at("runs").count(); }), "/cells/1/runs: wants a whole number from 0 on, not -1");
  EXPECT_EQ(refusal([&] { return cell.at("name").text(); }), "/cells/1/name: wants a text, not number");
  EXPECT_EQ(refusal([&] { return cell.at("wall"); }), "/cells/1: has no \"wall\"");
  EXPECT_EQ(refusal([&] { return cell.at("huge").whole(-5, 5); }), "/cells/1/huge: wants a whole number from -5 to 5, not 18446744073709551615");
  EXPECT_EQ(refusal([&] { return cell.at("far").number(0, 1e12); }), "/cells/1/far: is out of range: 1e+300");
  EXPECT_EQ(refusal([&] { return cell.items(); }), "/cells/1: wants a list, not object");
  EXPECT_EQ(refusal([&] { return JsonPlace(document).items(); }), "/: wants a list, not object");
}

}  // namespace
}  // namespace forkproof
