#include "reports/why.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "reports/layout.h"

namespace forkproof::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

Explanation orphan(Pid pid) {
  Explanation one;
  one.pid = pid, one.name = "sleep", one.state = "S";
  one.starter = 3, one.starter_name = "sh 3", one.starter_gone = true;
  one.parent = 1, one.parent_name = "PID 1", one.group = pid, one.session = 2;
  one.ignored = "SIGINT, SIGQUIT";
  one.stuck_in = "sleeps in read on fd 0 (pipe:[5])";
  one.chain = {"waits for input or the end of pipe:[5], which writer 9 can write to (fd 7)", "writer 9 sleeps in pause, until a signal comes"};
  one.holds = {"keeps pipe:[6] open as fd 1, inherited from sh 3, which has ended, not close-on-exec: supervisor 2 waits for its end"};
  return one;
}

History with(Explained why) {
  History history;
  history.append({Nanos(1), Spawned{2, 1, supervisor_node, "supervisor"}});
  history.append({Nanos(2), Spawned{4, 3, 0, "task"}});
  history.append({Nanos(3), std::move(why)});
  return history;
}

TEST(WhyStillThere, SaysAllOfItIn80Columns) {
  const std::string text = why_still_there(with({"conclusion", {}, 0, {orphan(4)}}));
  EXPECT_THAT(text, HasSubstr("Why it was still there when the supervisor had ended:\n    task 4\n"));
  EXPECT_THAT(text, HasSubstr("was started by sh 3, which has ended; is now a child of PID 1; is in its\n"));
  EXPECT_THAT(text, HasSubstr("ignores SIGINT, SIGQUIT"));
  EXPECT_THAT(text, HasSubstr("writer 9 sleeps in pause"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), columns) << line;
}

TEST(WhyStillThere, ManyAreCounted) {
  Explained why{"deadline", {}, 100, {}};
  for (Pid pid = 4; pid < 14; ++pid) why.processes.push_back(orphan(pid));
  EXPECT_THAT(why_still_there(with(why)), HasSubstr("... and 106 more"));
}

TEST(WhyStillThere, NothingIsSaidWhereNobodyWasLeft) {
  EXPECT_EQ(why_still_there(with({"conclusion", {}, 0, {}})), "");
  EXPECT_EQ(why_still_there(History()), "");
}

}  // namespace
}  // namespace forkproof::reports
