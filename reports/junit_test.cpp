// The JUnit report: what it says, and that it is XML. There is no XML parser among our dependencies, so a small reader
// here checks what well-formed means for a document without comments, CDATA or DTD.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/report.h"
#include "reports/summary_for_test.h"

namespace forkproof::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string junit_of(const RunSummary& summary) {
  std::ostringstream page;
  find_report("junit")->write(summary, page);
  return page.str();
}

/// Reads tags and text strictly; empty when the document is well-formed, else what is wrong.
class XmlReader {
 public:
  explicit XmlReader(const std::string& document) : rest_(document) {}

  std::string complaint() {
    const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    if (!rest_.starts_with(head)) return "no declaration";
    rest_.remove_prefix(head.size());
    while (!rest_.empty() && wrong_.empty()) {
      if (rest_[0] == '<') read_tag();
      else read_text(rest_.find('<'));
    }
    if (wrong_.empty() && !open_.empty()) return "never closed: " + open_.back();
    if (wrong_.empty() && roots_ != 1) return "not one root";
    return wrong_;
  }

 private:
  void read_text(std::size_t end) {
    check_characters(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  void read_tag() {
    const std::size_t end = rest_.find('>');
    if (end == std::string_view::npos) return complain("a tag that does not end");
    std::string_view tag = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open_.empty() || open_.back() != tag.substr(1)) return complain("closes " + std::string(tag));
      open_.pop_back();
      return;
    }
    const bool empty = tag.ends_with('/');
    if (empty) tag.remove_suffix(1);
    const std::string name(tag.substr(0, tag.find(' ')));
    tag.remove_prefix(name.size());
    while (!tag.empty() && wrong_.empty()) read_attribute(tag);
    if (open_.empty()) ++roots_;
    if (!empty) open_.push_back(name);
  }

  void read_attribute(std::string_view& tag) {
    const std::size_t quote = tag.find("=\"");
    const std::size_t end = quote == std::string_view::npos ? quote : tag.find('"', quote + 2);
    if (tag[0] != ' ' || end == std::string_view::npos) return complain("no attribute: " + std::string(tag));
    check_characters(tag.substr(quote + 2, end - quote - 2));
    tag.remove_prefix(end + 1);
  }

  void check_characters(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto each = static_cast<unsigned char>(text[i]);
      if (each < 0x20 && each != '\n') return complain("a control character");
      if (each == '<' || each == '>') return complain("a bare bracket");
      if (each != '&') continue;
      const std::string entity(text.substr(i, text.find(';', i) - i));
      if (std::string(" &amp &lt &gt &quot &#10 ").find(" " + entity + " ") == std::string::npos) {
        return complain("no entity: " + entity);
      }
    }
  }

  void complain(const std::string& what) { wrong_ = what; }

  std::string_view rest_;
  std::vector<std::string> open_;
  int roots_ = 0;
  std::string wrong_;
};

TEST(XmlReader, FindsWhatIsWrong) {
  const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  EXPECT_EQ(XmlReader(head + "<a b=\"c &amp; d\"><e/>text</a>\n").complaint(), "");
  EXPECT_NE(XmlReader("<a/>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a></b>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a b=\"<\"/>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a>&nbsp;</a>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a>\x1b</a>").complaint(), "");
  EXPECT_NE(XmlReader(head + "<a/><b/>").complaint(), "");
}

TEST(Junit, HasASuiteAScenarioAndATestCaseACell) {
  const std::string page = junit_of(summary_of({good_cell("heartbeat-409", "exemplary", "fork"),
                                                good_cell("heartbeat-409", "exemplary", "fork-exec"),
                                                good_cell("fork-after-thread/std-mutex", "exemplary", "fork")}));
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr(R"(<testsuites name="forkproof" tests="3" failures="0" errors="0" skipped="0" time="0.375">)"));
  EXPECT_THAT(page, HasSubstr(R"(<testsuite name="heartbeat-409" tests="2" failures="0" errors="0" skipped="0" time="0.250">)"));
  EXPECT_THAT(page, HasSubstr(R"(<testsuite name="fork-after-thread/std-mutex" tests="1")"));
  EXPECT_THAT(page, HasSubstr(R"(<testcase classname="heartbeat-409" name="exemplary/fork-exec" time="0.125"/>)"));
  EXPECT_THAT(page, HasSubstr(R"(<property name="arena" value="sealed"/>)"));
}

TEST(Junit, ACellThatDiffersIsAFailureWithItsStory) {
  const std::string page = junit_of(summary_of({with_orphan(good_cell("heartbeat-409", "exemplary", "fork"))}));
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr(R"(tests="1" failures="1" errors="0" skipped="0")"));
  EXPECT_THAT(page, HasSubstr(R"(<failure type="not-as-expected" message="no-orphans broken in 1 of 1: helper (pid 4) lives on">)"));
  EXPECT_THAT(page, HasSubstr("See it again: repro heartbeat-409 --profile exemplary --backend fork\n"));
  EXPECT_THAT(page, HasSubstr("is re-parented from task-runner 3 to PID 1"));
  EXPECT_THAT(page, HasSubstr("`- helper 4  &lt;- orphan"));
}

TEST(Junit, WhatWasExpectedToBreakAndDidIsNoFailure) {
  const std::string page = junit_of(summary_of({with_expected_orphan(good_cell("heartbeat-409", "airflow-3.2.0", "fork"))}));
  EXPECT_THAT(page, HasSubstr(R"(failures="0")"));
  EXPECT_THAT(page, Not(HasSubstr("<failure")));
}

TEST(Junit, UnknownIsAnErrorAndSkippedIsSkipped) {
  const std::string page = junit_of(summary_of({
      with_unknown(good_cell("heartbeat-409", "exemplary", "fork")),
      not_run(good_cell("heartbeat-409", "exemplary", "fork-exec"), CellOutcome::unknown, "it was not run: interrupted"),
      not_run(good_cell("runtime-in-child", "exemplary", "fork"), CellOutcome::skipped, "built without gobjc"),
  }));
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr(R"(tests="3" failures="0" errors="2" skipped="1")"));
  EXPECT_THAT(page, HasSubstr(R"(<error type="unknown" message="no-orphans unknown in 1 of 1: the census could not be taken">)"));
  EXPECT_THAT(page, HasSubstr(R"(<error type="unknown" message="it was not run: interrupted">)"));
  EXPECT_THAT(page, HasSubstr(R"(<skipped message="built without gobjc"/>)"));
}

TEST(Junit, IsXmlWhateverTheNamesAndReasonsAre) {
  const std::string nasty = "<&>\"'\x01\x1b[31m\xff\xed\xa0\x80]]>\nnext\tline \xf0\x9f\x90\x9b";
  CellSummary cell = with_orphan(good_cell("s" + nasty + "/v" + nasty, "p" + nasty, "b" + nasty), nasty);
  cell.exhibit->history = orphan_history(nasty);
  cell.note = nasty;
  const std::string page = junit_of(summary_of({cell, not_run(cell, CellOutcome::skipped, nasty)}));
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr("\xf0\x9f\x90\x9b"));
}

TEST(Junit, WhatIsMissingOfAMergeIsSaid) {
  RunSummary summary = summary_of({good_cell("heartbeat-409", "exemplary", "fork")});
  summary.gaps = {"shard 2 of 2 is missing"};
  const std::string page = junit_of(summary);
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr(R"(<error type="unknown" message="shard 2 of 2 is missing"/>)"));
  EXPECT_THAT(page, HasSubstr(R"(<testsuites name="forkproof" tests="2" failures="0" errors="1")"));
}

TEST(Junit, OfNothingIsAnEmptyDocument) {
  const std::string page = junit_of(summary_of({}));
  EXPECT_EQ(XmlReader(page).complaint(), "");
  EXPECT_THAT(page, HasSubstr(R"(tests="0")"));
}

}  // namespace
}  // namespace forkproof::reports
