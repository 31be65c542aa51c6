// Each way sees the same small story; what one cannot see is not asked of it.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "harness/arena/namespaces.h"
#include "harness/arena/sweep.h"
#include "harness/observe/outlook.h"
#include "harness/observe/proc.h"
#include "harness/observe/ways/way.h"

namespace forkproof::observe {
namespace {

using namespace std::chrono_literals;

/// What a way told of one run.
struct Told {
  std::vector<Happening> all;
  WaitStatus end;            ///< of the subject
  std::string refusal;
  std::string missed, misses_here;

  template <class Kind>
  [[nodiscard]] std::vector<Kind> of() const {
    std::vector<Kind> found;
    for (const Happening& each : all) {
      if (const auto* one = std::get_if<Kind>(&each)) found.push_back(*one);
    }
    return found;
  }
  [[nodiscard]] const Spawned* child_of(Pid parent) const {
    for (const Happening& each : all) {
      const auto* one = std::get_if<Spawned>(&each);
      if (one != nullptr && one->parent == parent) return one;
    }
    return nullptr;
  }
  [[nodiscard]] bool ended(Pid pid, WaitStatus status) const {
    for (const Exited& one : of<Exited>()) {
      if (one.pid == pid && one.known && one.status.same_end(status)) return true;
    }
    return false;
  }
  [[nodiscard]] bool execed(Pid pid, const std::string& program) const {
    for (const Execed& one : of<Execed>()) {
      if (one.pid == pid && one.program.ends_with(program)) return true;
    }
    return false;
  }
  Pid subject = 0;
};

/// This process is PID 1's stand-in.
class Ways : public testing::TestWithParam<const char*> {
 protected:
  Ways() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Ways() override { arena::kill_descendants(); }

  /// Runs `body` as the subject, which waits until it may go on; its return value is its exit code.
  static Told watch(const char* way, const std::function<int()>& body) { return watch(way, OutlookHeld().outlook(), body); }
  static Told watch(const char* way, const Outlook& outlook, const std::function<int()>& body) {
    Told told;
    arena::Warden warden;
    const auto observer = find_way(way)->make({warden, outlook, false, [&](Happening what) { told.all.push_back(std::move(what)); }});
    told.refusal = observer->prepare();
    if (!told.refusal.empty()) return told;
    int go[2];
    EXPECT_EQ(::pipe(go), 0);
    told.subject = ::fork();
    if (told.subject == 0) {
      char byte = 0;
      sigset_t none;
      sigemptyset(&none), ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::close(go[1]);
      ::_exit(::read(go[0], &byte, 1) == 1 ? body() : 99);
    }
    told.refusal = observer->attach(told.subject);
    EXPECT_EQ(::write(go[1], "x", 1), 1);
    ::close(go[0]), ::close(go[1]);
    warden.on_reaped([&](Pid pid, WaitStatus status) {
      observer->reaped(pid);
      if (pid != told.subject) return;
      told.end = status;
      warden.call_at(monotonic_now() + 20ms, [&] { warden.stop(); });  // for what stands in the connector's queue
    });
    warden.run();
    told.missed = observer->missed(), told.misses_here = observer->misses_here();
    return told;
  }
  static Told watch_shell(const char* way, const char* script) {
    return watch(way, [script] { return ::execl("/bin/sh", "sh", "-c", script, nullptr), 98; });
  }
  /// Not every machine gives every way: the connector not in containers, ptrace not under some policies.
  static bool refused(const Told& told) { return !told.refusal.empty(); }
};

TEST_P(Ways, BirthExecAndEndAreSeenWithWhoStartedIt) {
  const Told told = watch_shell(GetParam(), "/bin/sleep 0.2 & wait $!; exit 7");
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(7));
  EXPECT_TRUE(told.execed(told.subject, "sh") || std::string(GetParam()) == "proc") << "the subject's own exec";
  const Spawned* sleep = told.child_of(told.subject);
  ASSERT_NE(sleep, nullptr);
  EXPECT_EQ(sleep->node, stranger_node);
  EXPECT_TRUE(told.execed(sleep->pid, "sleep") || sleep->role == "sleep") << "or it was seen when it had";
  EXPECT_TRUE(told.ended(sleep->pid, WaitStatus::exited_with(0)) || std::string(GetParam()) == "proc") << "between two looks it may be reaped";
}

TEST_P(Ways, AThreadIsNoProcess) {
  const Told told = watch(GetParam(), [] {
    std::thread([] { ::usleep(5000); }).join();
    return 3;
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(3));
  EXPECT_EQ(told.child_of(told.subject), nullptr);
}

TEST_P(Ways, AProcessThatOutlivesItsMainThreadHasNotEnded) {
  const Told told = watch(GetParam(), [] {
    const pid_t inner = ::fork();
    if (inner == 0) {
      std::thread([] { ::usleep(30'000), ::_exit(4); }).detach();
      ::syscall(SYS_exit, 0);  // the main thread alone
    }
    int status = 0;
    ::waitpid(inner, &status, 0);
    return WEXITSTATUS(status);
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(4)) << "its parent waited for the whole process";
  const Spawned* inner = told.child_of(told.subject);
  ASSERT_NE(inner, nullptr);
  std::size_t ends = 0;
  for (const Exited& one : told.of<Exited>()) ends += one.pid == inner->pid ? 1U : 0U;
  EXPECT_LE(ends, 1U);
}

TEST_P(Ways, ExecByAThreadThatIsNotTheFirstIsTheProcesss) {
  const Told told = watch(GetParam(), [] {
    std::thread([] { ::execl("/bin/sh", "sh", "-c", "exit 5", nullptr); }).join();
    return 97;
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(5));
  EXPECT_TRUE(told.execed(told.subject, "sh") || std::string(GetParam()) == "proc");
}

TEST_P(Ways, AStoppedSubjectIsStoppedForItsOwnParentToo) {
  const Told told = watch(GetParam(), [] {
    const pid_t inner = ::fork();
    if (inner == 0) {
      ::raise(SIGSTOP);
      ::_exit(6);
    }
    int status = 0;
    if (::waitpid(inner, &status, WUNTRACED) != inner || !WIFSTOPPED(status)) return 90;
    ::usleep(10'000);
    if (::waitpid(inner, &status, WNOHANG) != 0) return 91;  // it stays so
    ::kill(inner, SIGCONT);
    if (::waitpid(inner, &status, 0) != inner) return 92;
    return WEXITSTATUS(status);
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(6));
}

TEST_P(Ways, NobodyIsMissedInAQuickCrowd) {
  if (std::string(GetParam()) == "proc") GTEST_SKIP() << "that is what it misses";
  const Told told = watch(GetParam(), [] {
    for (int i = 0; i < 200; ++i) {
      const pid_t inner = ::vfork();
      if (inner == 0) ::_exit(0);
      ::waitpid(inner, nullptr, 0);
    }
    return 0;
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  std::size_t seen = 0;
  for (const Spawned& one : told.of<Spawned>()) seen += one.parent == told.subject ? 1U : 0U;
  EXPECT_EQ(seen == 200U, told.missed.empty()) << "what is missed is said: " << told.missed;
  EXPECT_GT(seen, 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, Ways, testing::Values("connector", "ptrace", "proc"), [](const auto& each) { return std::string(each.param); });

/// Those that see signals; the connector does for root.
using Signals = Ways;

TEST_P(Signals, ASignalIsSeenWithItsSender) {
  const Told told = watch_shell(GetParam(), "/bin/sleep 60 & kill -TERM $!; wait $!; exit 0");
  if (refused(told) || !told.misses_here.empty()) GTEST_SKIP() << told.refusal << told.misses_here;
  const Spawned* sleep = told.child_of(told.subject);
  ASSERT_NE(sleep, nullptr);
  const auto signals = told.of<SignalSeen>();
  ASSERT_EQ(signals.size(), 1U) << "and no SIGCHLD, which tells of a child";
  EXPECT_EQ(signals[0].pid, sleep->pid);
  EXPECT_EQ(signals[0].signal, SIGTERM);
  EXPECT_EQ(signals[0].by, told.subject);
  EXPECT_EQ(signals[0].how, "kill");
  EXPECT_TRUE(told.ended(sleep->pid, WaitStatus::killed_by(SIGTERM)));
}

INSTANTIATE_TEST_SUITE_P(Each, Signals, testing::Values("connector", "ptrace"), [](const auto& each) { return std::string(each.param); });

using Connector = Ways;

TEST_F(Connector, SigkillIsSeenWithItsSenderToo) {
  const Told told = watch_shell("connector", "/bin/sleep 60 & kill -KILL $!; wait $!; exit 0");
  if (refused(told) || !told.misses_here.empty()) GTEST_SKIP() << told.refusal << told.misses_here;
  const auto signals = told.of<SignalSeen>();
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].signal, SIGKILL);
  EXPECT_EQ(signals[0].by, told.subject);
}

/// Signals each of so many children at once, and waits for it; another one lives on for a moment.
int signal_newborns(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t inner = ::fork();
    if (inner == 0) {
      for (;;) ::pause();
    }
    ::kill(inner, SIGUSR1);
  }
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  const pid_t last = ::fork();
  if (last == 0) ::usleep(20'000), ::_exit(0);
  ::waitpid(last, nullptr, 0);
  return 0;
}

TEST_F(Connector, ASignalRightAfterBirthIsSeen) {
  const Told told = watch("connector", [] { return signal_newborns(60); });
  if (refused(told) || !told.misses_here.empty()) GTEST_SKIP() << told.refusal << told.misses_here;
  const auto signals = told.of<SignalSeen>();
  EXPECT_EQ(signals.size(), 60U);
  for (const SignalSeen& one : signals) EXPECT_EQ(one.by, told.subject);
  EXPECT_EQ(told.missed, "");
}

/// The exit code of PID 1 of a new PID namespace; -1 where there can be none.
int in_a_pid_namespace(const std::function<int()>& body) {
  const pid_t outer = ::fork();
  if (outer == 0) {
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(255);
    const pid_t inner = ::fork();
    if (inner == 0) {
      arena::mount_private_proc();
      ::_exit(body());
    }
    int status = 0;
    ::waitpid(inner, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 254);
  }
  int status = 0;
  ::waitpid(outer, &status, 0);
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

// There a process's name has to be looked up, and may be gone by then.
TEST_F(Connector, ASignalToOneWhoseNameIsNotKnownYetIsKeptForItOrCounted) {
  const OutlookHeld outlook;
  enum { fine, cannot, silent_loss, nobodys };
  const int result = in_a_pid_namespace([&] {
    const Told told = watch("connector", outlook.outlook(), [] { return signal_newborns(60); });
    if (refused(told) || !told.misses_here.empty()) return cannot;
    for (const SignalSeen& one : told.of<SignalSeen>()) {
      if (one.pid <= 0) return nobodys;
    }
    return told.of<SignalSeen>().size() == 60U || told.missed.find("signals") != std::string::npos ? fine : silent_loss;
  });
  if (result == cannot || result < 0) GTEST_SKIP() << "no connector, or no PID namespace";
  EXPECT_EQ(result, fine);
}

// They stand before the pids in /proc/PID/status.
TEST_F(Connector, AProcessOfManyGroupsIsNotRefused) {
  enum { fine, cannot, refusal };
  const pid_t other = ::fork();
  if (other == 0) {
    std::vector<gid_t> groups;
    for (gid_t group = 100'000; group < 100'300; ++group) groups.push_back(group);
    if (OutlookHeld().outlook().connector < 0 || ::setgroups(groups.size(), groups.data()) != 0) ::_exit(cannot);
    ::_exit(refused(watch("connector", [] { return 0; })) ? refusal : fine);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  if (WEXITSTATUS(status) == cannot) GTEST_SKIP() << "no connector, or groups cannot be set";
  EXPECT_EQ(WEXITSTATUS(status), fine);
}

using Ptrace = Ways;

TEST_F(Ptrace, ASubjectThatTracesItsOwnChildIsRefusedByTheKernelAndGoesOn) {
  const Told told = watch("ptrace", [] {
    const pid_t inner = ::fork();
    if (inner == 0) ::_exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 8);
    int status = 0;
    ::waitpid(inner, &status, 0);
    return WEXITSTATUS(status);
  });
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(told.end, WaitStatus::exited_with(8)) << "one tracer a process: ways.def says so";
}

// In a namespace of its own, where numbers can be chosen: the second thread has 3, and after the exec a child gets it.
TEST_F(Ptrace, TheNumberOfAThreadThatExecedMayBeGivenAnew) {
  enum { fine, cannot, unseen };
  const int result = in_a_pid_namespace([] {
    const OutlookHeld outlook(false);
    const Told told = watch("ptrace", outlook.outlook(), [] {
      std::thread([] { ::execl("/bin/sh", "sh", "-c", "echo 2 >/proc/sys/kernel/ns_last_pid; (exit 7) & wait $!", nullptr); }).join();
      return 97;
    });
    if (refused(told) || !told.end.same_end(WaitStatus::exited_with(7))) return cannot;
    for (const Spawned& one : told.of<Spawned>()) {
      if (one.pid == 3 && one.parent == told.subject) return fine;
    }
    return unseen;
  });
  if (result == cannot || result < 0) GTEST_SKIP() << "no ptrace, or no PID namespace whose numbers can be chosen";
  EXPECT_EQ(result, fine);
}

TEST_F(Ptrace, AnOrphanIsReapedByPid1AndNotEatenByTheTracer) {
  const Told told = watch_shell("ptrace", "(/bin/sleep 0.05 &) ; /bin/sleep 0.2");
  if (refused(told)) GTEST_SKIP() << told.refusal;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nobody is left to reap";
}

TEST(WaysTable, AnUnknownWayIsNone) { EXPECT_EQ(find_way("telepathy"), nullptr); }

}  // namespace
}  // namespace forkproof::observe
