#include "harness/observe/quiet.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>

#include "harness/core/child_for_test.h"

namespace forkproof::observe {
namespace {

using Seen = Quiet::Seen;

Quiet of_my_children() { return {false, ::getpid(), {}}; }

/// As soon as it is so, or `otherwise` after a second.
bool comes_to_rest(Quiet& quiet) {
  const Nanos until = monotonic_now() + std::chrono::seconds(1);
  while (monotonic_now() < until) {
    if (quiet.look() == Seen::at_rest) return true;
  }
  return false;
}

TEST(Quiet, NobodyIsAtRestAtTheSecondLook) {
  Quiet quiet = of_my_children();
  EXPECT_EQ(quiet.look(), Seen::blocked);
  EXPECT_EQ(quiet.look(), Seen::at_rest);
}

TEST(Quiet, WhoWaitsInTheKernelIsAtRest) {
  Pipe pipe;
  char byte = 0;
  const Child child([&] { [[maybe_unused]] const auto got = ::read(pipe.reader.get(), &byte, 1); });
  Quiet quiet = of_my_children();
  EXPECT_TRUE(comes_to_rest(quiet));
}

TEST(Quiet, WhoRunsIsNot) {
  const Child child([] { for (;;) ::getppid(); });
  Quiet quiet = of_my_children();
  EXPECT_FALSE(comes_to_rest(quiet));
  EXPECT_GT(quiet.busiest(), std::chrono::milliseconds(20));
  quiet.forget();
  EXPECT_EQ(quiet.busiest(), Nanos{});
}

// Asleep at each look, and yet it has run in between: the count of its turns tells.
TEST(Quiet, WhoHasRunBetweenTwoLooksIsNot) {
  Pipe to, back;
  const Child child([&] {
    for (char byte = 0; ::read(to.reader.get(), &byte, 1) == 1;) {
      if (::write(back.writer.get(), &byte, 1) != 1) return;
    }
  });
  Quiet quiet = of_my_children();
  ASSERT_TRUE(comes_to_rest(quiet));
  char byte = 'x';
  ASSERT_EQ(::write(to.writer.get(), &byte, 1), 1);
  ASSERT_EQ(::read(back.reader.get(), &byte, 1), 1);  // it has run
  EXPECT_NE(quiet.look(), Seen::at_rest);
  EXPECT_TRUE(comes_to_rest(quiet));
}

TEST(Quiet, AProcessThatNobodyKnewOfCounts) {
  Quiet quiet = of_my_children();
  (void)quiet.look();
  Pipe pipe;
  char byte = 0;
  const Child child([&] { [[maybe_unused]] const auto got = ::read(pipe.reader.get(), &byte, 1); });
  EXPECT_NE(quiet.look(), Seen::at_rest);
}

TEST(Quiet, AStoppedAndADeadProcessAreAtRest) {
  const Child stopped([] { ::raise(SIGSTOP); });
  const Child dead([] {});
  Quiet quiet = of_my_children();
  EXPECT_TRUE(comes_to_rest(quiet));
}

TEST(Quiet, AParentInVforkIsAtRestWhenItsChildIs) {
  const Child child([] {
    if (::vfork() != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // else it would outlive its parent's kill
    ::poll(nullptr, 0, -1);
    ::_exit(0);
  });
  Quiet quiet = of_my_children();
  EXPECT_TRUE(comes_to_rest(quiet));
}

TEST(Quiet, ForgottenLooksDoNotCount) {
  Quiet quiet = of_my_children();
  ASSERT_TRUE(comes_to_rest(quiet));  // a subreaper by an earlier test's doing: what was left in vfork above may be dying yet
  quiet.forget();
  EXPECT_EQ(quiet.look(), Seen::blocked);
}

Fd folder_of(const Child& child) {
  return Fd(::open(("/proc/" + std::to_string(child.pid())).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Below one that has no children nobody is looked at but those.
TEST(Quiet, WhoStandsOutsideCountsAsWell) {
  const Child childless([] { ::pause(); });
  const Child child([] { for (;;) ::getppid(); });
  std::vector<Fd> outside;
  outside.push_back(folder_of(child));
  Quiet quiet(false, childless.pid(), outside);
  EXPECT_FALSE(comes_to_rest(quiet));
  EXPECT_GT(quiet.busiest(), std::chrono::milliseconds(20));
}

TEST(Quiet, EachWhoStandsOutsideHasATimeOfItsOwn) {
  const Child childless([] { ::pause(); });
  const Child fresh([] { ::pause(); });
  const Child worn([] {
    for (timespec ran{}; ran.tv_nsec < 60'000'000; ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ran)) continue;
    ::pause();
  });
  std::vector<Fd> outside;
  outside.push_back(folder_of(fresh)), outside.push_back(folder_of(worn));
  Quiet quiet(false, childless.pid(), outside);
  ASSERT_TRUE(comes_to_rest(quiet));
  quiet.forget();
  ASSERT_TRUE(comes_to_rest(quiet));
  EXPECT_LT(quiet.busiest(), std::chrono::milliseconds(20)) << "both have slept since";
}

}  // namespace
}  // namespace forkproof::observe
