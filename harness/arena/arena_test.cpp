// The sealed world: what is promised of each tier, and that nothing outlives it.
#include "harness/arena/arena.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "harness/arena/cgroup.h"
#include "harness/arena/sweep.h"
#include "harness/core/child_for_test.h"
#include "harness/core/children.h"
#include "harness/core/error.h"

namespace forkproof::arena {

void PrintTo(Tier tier, std::ostream* out) { *out << name(tier); }

namespace {

using testing::IsEmpty;
using testing::StartsWith;

/// Somebody inside holds the write end: as long as one of them lives, there is no end of file.
[[noreturn]] void block_for_ever() {
  for (;;) ::pause();
}

/// Two processes that resist SIGTERM and SIGHUP, one in a session of its own. They and their holder's pipe stay.
void leave_two_behind(const Pipe& pipe) {
  for (const bool own_session : {false, true}) {
    if (::fork() != 0) continue;
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    if (own_session) ::setsid();
    pipe.tell("x");
    block_for_ever();
  }
  pipe.wait();
  pipe.wait();
}

std::vector<std::string> cgroups_of_ours(const Provision& provision) {
  std::vector<std::string> names;
  if (provision.cgroup_parent.empty()) return names;
  const std::string own_pid = "-" + std::to_string(::getpid()) + "-";
  for (const auto& entry : std::filesystem::directory_iterator(provision.cgroup_parent)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("forkproof-") && name.find(own_pid) != std::string::npos) names.push_back(name);
  }
  return names;
}

class EachTier : public testing::TestWithParam<Tier> {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);  // which an arena of the weakest tier sets for good
    provision_ = provide(GetParam());
    if (provision_.tier == GetParam()) return;
    std::string reasons;
    for (const std::string& refusal : provision_.refusals) reasons += refusal + "; ";
    GTEST_SKIP() << reasons;
  }
  void TearDown() override {
    EXPECT_THAT(children_of(::getpid()), IsEmpty()) << "a keeper was left behind";
    EXPECT_THAT(cgroups_of_ours(provision_), IsEmpty());
  }
  int run(std::function<int()> inside) {
    Contents contents;
    contents.inside = std::move(inside);
    return Arena(provision_, contents).finish();
  }
  [[nodiscard]] bool sealed() const { return GetParam() != Tier::subreaper; }

  Provision provision_;
};

TEST_P(EachTier, FinishesWithWhatTheInsideReturned) {
  EXPECT_EQ(run([] { return 7; }), 7);
  EXPECT_EQ(run([] { return 0; }), 0);
}

TEST_P(EachTier, AnInsideThatThrowsIsTheHarnessesFailure) {
  EXPECT_EQ(run([]() -> int { throw HarnessFailure("meant to be seen: the inside of a test throws"); }), 70);
}

TEST_P(EachTier, TheInsideIsPid1WhereThereIsANamespace) {
  const pid_t outer = ::getpid();
  EXPECT_EQ(run([] { return ::getpid() == 1 ? 1 : 0; }), sealed() ? 1 : 0);
  EXPECT_EQ(run([] { return ::getppid() == 0 ? 1 : 0; }), sealed() ? 1 : 0) << "its keeper stands outside";
  EXPECT_EQ(::getpid(), outer);
}

TEST_P(EachTier, ProcShowsTheArenaAlone) {
  const auto count_processes = [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) count += std::atoi(entry.path().filename().c_str()) > 0;
    return std::min(count, 100);
  };
  if (sealed()) EXPECT_EQ(run(count_processes), 1);
  else EXPECT_GT(run(count_processes), 1) << "the machine's own /proc";
}

TEST_P(EachTier, LoopbackIsUp) {
  const auto speak_to_self = [] {
    const Fd listener(::socket(AF_INET, SOCK_STREAM, 0)), client(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0) return 1;
    if (::getsockname(listener.get(), generic, &size) != 0) return 2;
    return ::connect(client.get(), generic, size) == 0 ? 0 : 3;
  };
  EXPECT_EQ(run(speak_to_self), 0);
}

TEST_P(EachTier, NothingThatWasStartedInsideOutlivesIt) {
  Pipe pipe;
  EXPECT_EQ(run([&] {
              leave_two_behind(pipe);
              return 3;
            }),
            3);
  pipe.rest();  // returns only when both are gone
}

TEST_P(EachTier, EndsAnInsideThatBlocksForEver) {
  Pipe pipe;
  Contents contents;
  contents.inside = [&]() -> int {
    leave_two_behind(pipe);
    pipe.tell("ready");
    block_for_ever();
  };
  Arena arena(provision_, contents);
  pipe.wait();
  arena.end();
  EXPECT_EQ(arena.finish(), 70);
  pipe.rest();
}

TEST_P(EachTier, DroppingItEndsIt) {
  Pipe pipe;
  Contents contents;
  contents.inside = [&]() -> int {
    leave_two_behind(pipe);
    pipe.tell("ready");
    block_for_ever();
  };
  {
    const Arena arena(provision_, contents);
    pipe.wait();
  }
  pipe.rest();
}

TEST_P(EachTier, EndsByItselfWhenItsTimeIsOver) {
  Pipe pipe;
  Contents contents;
  contents.inside = [&]() -> int {
    leave_two_behind(pipe);
    block_for_ever();
  };
  contents.at_most = std::chrono::milliseconds(20);
  EXPECT_EQ(Arena(provision_, contents).finish(), 70);
  pipe.rest();
}

TEST_P(EachTier, ItsPidfdIsReadableOnceItIsGone) {
  Contents contents;
  contents.inside = [] { return 5; };
  Arena arena(provision_, contents);
  pollfd gone{arena.pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&gone, 1, -1), 1);
  EXPECT_EQ(arena.finish(), 5);
}

TEST_P(EachTier, AKeeperThatIsKilledLeavesNothing) {
  Pipe pipe;
  Contents contents;
  contents.outside = [&]() -> std::vector<pid_t> { return {fork_bound([]() -> int { block_for_ever(); })}; };
  contents.inside = [&]() -> int {
    leave_two_behind(pipe);
    pipe.tell("ready");
    block_for_ever();
  };
  Arena arena(provision_, contents);
  pipe.wait();
  const std::vector<int> keepers = children_of(::getpid());
  ASSERT_EQ(keepers.size(), 1U);
  ::kill(keepers[0], SIGKILL);
  EXPECT_EQ(arena.finish(), 70);
  if (!sealed()) kill_descendants();  // they have become ours: the tier's owner sweeps
  pipe.rest();
}

TEST_P(EachTier, ServersStandOutsideAndAreReachedAndGoWithIt) {
  Pipe pipe;
  std::uint16_t port = 0;
  Contents contents;
  contents.outside = [&]() -> std::vector<pid_t> {
    auto listener = std::make_shared<Fd>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener->get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener->get(), 1);
    ::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = address.sin_port;
    return {fork_bound([&, listener]() -> int {
      pipe.tell("server ");
      block_for_ever();
    })};
  };
  contents.inside = [&] {
    if (sealed()) ::kill(-1, SIGKILL);  // a stray one, of all that the inside can see
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = port;
    const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
    return ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 4 : 5;
  };
  EXPECT_EQ(Arena(provision_, contents).finish(), 4);
  EXPECT_THAT(pipe.rest(), testing::AnyOf("server ", ""));  // "" when the arena was over before the server spoke
}

TEST_P(EachTier, TwoAtATimeDoNotMeet) {
  Pipe first, second;
  const auto waits = [](const Pipe& pipe) {
    Contents contents;
    contents.inside = [&pipe]() -> int {
      pipe.tell("x");
      block_for_ever();
    };
    return contents;
  };
  Arena one(provision_, waits(first)), other(provision_, waits(second));
  first.wait();
  second.wait();
  one.end();
  EXPECT_EQ(one.finish(), 70);
  pollfd still{other.pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&still, 1, 0), 0) << "the end of one has ended the other";
  other.end();
  EXPECT_EQ(other.finish(), 70);
}

TEST_P(EachTier, ItsCgroupHoldsWhatRunsInsideAndGoesWithIt) {
  if (provision_.cgroup_parent.empty()) GTEST_SKIP() << provision_.refusals.at(0);
  Pipe pipe;
  Contents contents;
  contents.inside = [&]() -> int {
    pipe.tell("x");
    block_for_ever();
  };
  Arena arena(provision_, contents);
  pipe.wait();
  // Named after the keeper, which makes it, or after its owner: whichever, it is new and has somebody in it.
  int inhabited = 0;
  for (const auto& entry : std::filesystem::directory_iterator(provision_.cgroup_parent)) {
    if (!entry.path().filename().string().starts_with("forkproof-")) continue;
    const Fd list(::open((entry.path() / "cgroup.procs").c_str(), O_RDONLY | O_CLOEXEC));
    char text[256];
    inhabited += ::read(list.get(), text, sizeof text) > 0;
  }
  EXPECT_GE(inhabited, 1);
  arena.end();
  arena.finish();
  EXPECT_THAT(cgroups_of_ours(provision_), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Arena, EachTier, testing::Values(Tier::sealed, Tier::user_namespace, Tier::subreaper),
                         [](const auto& each) {
                           std::string text(name(each.param));
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST(Provide, NeverClimbsHigherThanWanted) {
  EXPECT_EQ(provide(Tier::subreaper).tier, Tier::subreaper);
  EXPECT_NE(provide(Tier::user_namespace).tier, Tier::sealed);
}

TEST(Provide, SaysWhatWasRefused) {
  for (const Tier tier : {Tier::sealed, Tier::user_namespace}) {
    const Provision provision = provide(tier);
    if (provision.tier == tier) continue;
    EXPECT_THAT(provision.refusals, testing::Contains(StartsWith(std::string(name(tier)) + ": ")));
  }
}

TEST(Tier, HasANameAndTheWeakestACost) {
  for (const Tier tier : {Tier::sealed, Tier::user_namespace, Tier::subreaper}) EXPECT_EQ(tier_from(name(tier)), tier);
  EXPECT_EQ(tier_from("container"), std::nullopt);
  EXPECT_EQ(cost(Tier::sealed), "");
  EXPECT_NE(cost(Tier::subreaper), "");
}

TEST(ForkBound, TheChildDiesWithItsParentWhateverKillsIt) {
  Pipe pipe;
  const pid_t parent = ::fork();
  if (parent == 0) {
    fork_bound([&]() -> int {
      pipe.tell("x");
      block_for_ever();
    });
    block_for_ever();
  }
  pipe.wait();
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  pipe.rest();
}

TEST(ForkBound, ItsExitCodeIsTheBodysAndAThrowIs70) {
  int status = 0;
  ::waitpid(fork_bound([] { return 9; }), &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 9);
  ::waitpid(fork_bound([]() -> int { throw HarnessFailure("meant to be seen: a body of a test throws"); }), &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 70);
}

TEST(KillDescendants, EmptiesTheTreeAndReapsIt) {
  Pipe pipe;
  // In a process of its own: it must be a subreaper, and have no other children.
  const pid_t owner = fork_bound([&] {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    leave_two_behind(pipe);
    const int reaped = kill_descendants();
    return children_of(::getpid()).empty() ? reaped : 99;
  });
  int status = 0;
  ::waitpid(owner, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 2);
  pipe.rest();
}

TEST(KillDescendants, FindsOrphansToo) {
  Pipe pipe;
  const pid_t owner = fork_bound([&] {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const pid_t parent = ::fork();
    if (parent == 0) {
      leave_two_behind(pipe);
      ::_exit(0);
    }
    ::waitpid(parent, nullptr, 0);  // now they are ours
    return kill_descendants();
  });
  int status = 0;
  ::waitpid(owner, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 2);
  pipe.rest();
}

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string refusal;
    parent_ = writable_cgroup_parent(&refusal);
    if (parent_.empty()) GTEST_SKIP() << refusal;
  }
  std::string parent_;
};

TEST_F(CgroupTest, IsRemovedWithWhoeverIsInIt) {
  const std::string path = parent_ + "/" + fresh_cgroup_name();
  const Fd group = make_cgroup(path);
  Pipe pipe;
  const pid_t child = fork_bound([&]() -> int {
    const Fd procs(::openat(group.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
    if (::write(procs.get(), "0", 1) != 1) return 1;
    pipe.tell("x");
    block_for_ever();
  });
  pipe.wait();
  EXPECT_TRUE(remove_cgroup(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_TRUE(remove_cgroup(path)) << "to remove what is not there is no failure";
}

TEST_F(CgroupTest, NoTwoHaveOneName) { EXPECT_NE(fresh_cgroup_name(), fresh_cgroup_name()); }

TEST_F(CgroupTest, TheSweepTakesWhatTheDeadHaveLeftAndNothingElse) {
  const std::string ours = parent_ + "/" + fresh_cgroup_name();
  const Fd kept = make_cgroup(ours);
  Pipe pipe;
  const pid_t child = fork_bound([&] {
    const std::string name = fresh_cgroup_name();
    make_cgroup(parent_ + "/" + name);
    pipe.tell(name);
    return 0;
  });
  ::waitpid(child, nullptr, 0);
  const std::string stale = parent_ + "/" + pipe.rest();
  ASSERT_TRUE(std::filesystem::exists(stale));
  sweep_stale_cgroups(parent_);
  EXPECT_FALSE(std::filesystem::exists(stale));
  EXPECT_TRUE(std::filesystem::exists(ours)) << "its owner lives";
  EXPECT_TRUE(remove_cgroup(ours));
}

TEST_F(CgroupTest, IsRemovedWithTheGroupsThatASubjectMadeInIt) {
  const std::string path = parent_ + "/" + fresh_cgroup_name();
  const Fd group = make_cgroup(path);
  std::filesystem::create_directory(path + "/below");
  EXPECT_TRUE(remove_cgroup(path));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace forkproof::arena
