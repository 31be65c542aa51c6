#include "harness/observe/strangers.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "harness/arena/sweep.h"
#include "harness/observe/outlook.h"

namespace forkproof::observe {
namespace {

using namespace std::chrono_literals;

struct Seen {
  std::vector<Happening> all;
  Acquaintances known;
  Pid subject = 0;

  [[nodiscard]] std::string way() const {
    for (const Happening& each : all) {
      if (const auto* chosen = std::get_if<ObservationChosen>(&each)) return chosen->way;
    }
    return "";
  }
  template <class Kind>
  [[nodiscard]] const Kind* find(Pid pid) const {
    for (const Happening& each : all) {
      const auto* one = std::get_if<Kind>(&each);
      if (one != nullptr && one->pid == pid) return one;
    }
    return nullptr;
  }
  /// The stranger that ran this program.
  [[nodiscard]] Pid runs(const std::string& program) const {
    for (const Happening& each : all) {
      const auto* one = std::get_if<Execed>(&each);
      if (one != nullptr && one->program.ends_with(program) && one->pid != subject) return one->pid;
    }
    return 0;
  }
};

/// This process is PID 1's stand-in, and the subject is a shell that waits until it may go on.
class StrangersTest : public testing::TestWithParam<const char*> {
 protected:
  StrangersTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~StrangersTest() override { arena::kill_descendants(); }

  static Seen watch(const std::string& way, const char* script, bool introduce_subject = true) {
    Seen seen;
    const OutlookHeld outlook;
    arena::Warden warden;
    Strangers strangers(warden, outlook.outlook(), false,
                        {[&](Happening what) { seen.all.push_back(std::move(what)); },
                         [&](Pid pid) { return introduce_subject && pid == seen.subject; }, [](Pid) {}});
    int go[2];
    EXPECT_EQ(::pipe(go), 0);
    seen.subject = ::fork();
    if (seen.subject == 0) {
      char byte = 0;
      sigset_t none;
      sigemptyset(&none), ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::close(go[1]);
      if (::read(go[0], &byte, 1) == 1) ::execl("/bin/sh", "sh", "-c", script, nullptr);
      ::_exit(99);
    }
    strangers.begin(way, seen.subject);
    EXPECT_EQ(::write(go[1], "x", 1), 1);
    ::close(go[0]), ::close(go[1]);
    warden.on_reaped([&](Pid pid, WaitStatus status) { strangers.reaped(pid, status); });
    const Nanos until = monotonic_now() + 10s;
    const std::function<void()> look = [&] {  // until nobody is left
      siginfo_t about{};
      const bool nobody = ::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
      if (nobody || monotonic_now() > until) {
        return warden.call_at(monotonic_now() + 10ms, [&] { warden.stop(); });  // for what stands in the connector's queue
      }
      warden.call_at(monotonic_now() + 1ms, look);
    };
    look();
    warden.run();
    seen.known = strangers.known();
    return seen;
  }
};

TEST_P(StrangersTest, AnOrphanIsSeenToBeReparentedAndItsStarterStaysKnown) {
  const Seen seen = watch(GetParam(), "(/bin/sleep 0.3 &); exit 0");
  if (seen.way() != GetParam()) GTEST_SKIP() << "not to be had here";
  const Pid sleep = seen.runs("sleep");
  ASSERT_GT(sleep, 0);
  const auto* spawned = seen.find<Spawned>(sleep);
  const auto* moved = seen.find<Reparented>(sleep);
  ASSERT_NE(spawned, nullptr);
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(moved->from, spawned->parent);
  EXPECT_EQ(moved->to, ::getpid());
  EXPECT_EQ(seen.known.at(sleep).starter, spawned->parent);
  EXPECT_EQ(seen.known.at(sleep).name, "sleep");
  ASSERT_NE(seen.find<Exited>(sleep), nullptr);
  EXPECT_EQ(seen.find<Exited>(sleep)->status, WaitStatus::exited_with(0)) << "PID 1 reaped it";
}

TEST_P(StrangersTest, WhoIsIntroducedIsNoStranger) {
  const Seen seen = watch(GetParam(), "/bin/sleep 0.1; exit 0");
  if (seen.way() != GetParam()) GTEST_SKIP() << "not to be had here";
  EXPECT_EQ(seen.find<Spawned>(seen.subject), nullptr);
  EXPECT_EQ(seen.find<Exited>(seen.subject), nullptr) << "its owner tells that";
}

INSTANTIATE_TEST_SUITE_P(Each, StrangersTest, testing::Values("connector", "ptrace"), [](const auto& each) { return std::string(each.param); });

using Choice = StrangersTest;

TEST_F(Choice, AutoTakesTheFirstThatCanBeHad) {
  const Seen seen = watch("auto", "exit 0");
  EXPECT_THAT(seen.way(), testing::AnyOf("connector", "ptrace", "proc"));
}

TEST_F(Choice, NoneSeesNobodyAndSaysSo) {
  const Seen seen = watch("none", "/bin/sleep 0.05; exit 0");
  EXPECT_EQ(seen.way(), "none");
  EXPECT_EQ(seen.all.size(), 1U);
}

TEST_F(Choice, WithoutAnOutlookTheConnectorIsRefusedAndTheNextOneTaken) {
  std::vector<Happening> told;
  arena::Warden warden;
  Outlook nothing;
  nothing.refusal = "not in these namespaces";
  Strangers strangers(warden, nothing, false, {[&](Happening what) { told.push_back(std::move(what)); }, [](Pid) { return false; }, [](Pid) {}});
  const pid_t subject = ::fork();
  if (subject == 0) {
    for (;;) ::pause();
  }
  strangers.begin("auto", subject);
  ASSERT_EQ(told.size(), 1U);
  const auto& chosen = std::get<ObservationChosen>(told.front());
  EXPECT_NE(chosen.way, "connector");
  EXPECT_THAT(chosen.because, testing::HasSubstr("not connector: not in these namespaces"));
}

}  // namespace
}  // namespace forkproof::observe
