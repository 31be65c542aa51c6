// Which processes are said to wait for each other for good, and which only seem to. Each case is a few real children; the
// test process is the root, so it must hold no end of their pipes.
#include "harness/observe/standstill.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <thread>

#include "harness/arena/sweep.h"
#include "harness/core/child_for_test.h"
#include "harness/core/children.h"
#include "harness/observe/alarms.h"
#include "harness/observe/namespaces.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int looks = 20;  // at one that is in no circle

void read_one(int fd) {
  char byte = 0;
  (void)!::read(fd, &byte, 1);
}
void fill(int fd) {
  const std::string block(4096, 'x');
  while (::write(fd, block.data(), block.size()) > 0) continue;
}
void catches(int signal) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(signal, &action, nullptr);
}

class Stand : public testing::Test {
 protected:
  Stand() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    remember_alarms();
  }
  ~Stand() override { arena::kill_descendants(); }

  static pid_t child(const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    body();
    for (;;) ::pause();
  }
  static void wait_until_in(pid_t pid, long call) {
    const Nanos give_up = monotonic_now() + std::chrono::seconds(20);
    for (Thread thread; !main_thread(pid, &thread) || !thread.blocked || thread.number != call;) {
      if (monotonic_now() > give_up) return ADD_FAILURE() << pid << " is in call " << thread.number << ", not in " << call, void();
      ::sched_yield();
    }
  }
  static std::vector<Pid> circle_from(pid_t pid) { return Standstill(false, ::getpid()).circle_from(pid); }
  /// Other programs may have an alarm set for a moment, and then nothing is proved.
  static std::vector<Pid> circle_within_patience(pid_t pid) {
    const Nanos give_up = monotonic_now() + std::chrono::seconds(20);
    std::vector<Pid> circle;
    while (circle.empty() && monotonic_now() < give_up) circle = circle_from(pid);
    return circle;
  }
  static std::string proof() { return Standstill(false, ::getpid()).proof(); }
  static std::string proof_within_patience() {
    const Nanos give_up = monotonic_now() + std::chrono::seconds(20);
    std::string text;
    while (text.empty() && monotonic_now() < give_up) text = proof();
    return text;
  }
  static void expect_no_circle(pid_t pid) {
    for (int i = 0; i < looks; ++i) EXPECT_THAT(circle_from(pid), IsEmpty());
  }
  static bool alarms_can_be_seen() { return ::access("/proc/timer_list", R_OK) == 0; }

  /// `left` runs with the end it reads from, and `right` reads from a pipe that `left` holds: a circle, unless `left` has
  /// another way to wake.
  struct Pair {
    pid_t left, right;
  };
  static Pair pair(const std::function<void(int)>& left_waits, long call) {
    Pipe there, back;
    Pair both{};
    both.left = child([&] { there.reader.reset(), back.writer.reset(), left_waits(back.reader.get()); });
    both.right = child([&] { back.reader.reset(), there.writer.reset(), read_one(there.reader.get()); });
    there = Pipe(), back = Pipe();
    wait_until_in(both.left, call), wait_until_in(both.right, SYS_read);
    return both;
  }
};

// --- True circles.

TEST_F(Stand, TwoThatReadFromEachOtherAreACircle) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const Pair both = pair(read_one, SYS_read);
  EXPECT_THAT(circle_within_patience(both.left), UnorderedElementsAre(both.left, both.right));
}

TEST_F(Stand, ASupervisorThatWaitsBeforeItReadsIsACircleWithItsTask) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  Pipe told;
  const pid_t supervisor = child([&] {
    catches(SIGTERM);  // a call that is half done is no idleness
    Pipe output(0);
    const pid_t task = child([&] { output.reader.reset(), fill(output.writer.get()); });
    output.writer.reset();
    (void)!::write(told.writer.get(), &task, sizeof task);
    ::waitpid(task, nullptr, 0);
  });
  pid_t task = 0;
  ASSERT_EQ(::read(told.reader.get(), &task, sizeof task), static_cast<ssize_t>(sizeof task));
  wait_until_in(supervisor, SYS_wait4), wait_until_in(task, SYS_write);
  EXPECT_THAT(circle_within_patience(supervisor), UnorderedElementsAre(supervisor, task));
}

TEST_F(Stand, AProcessThatAloneCouldWriteToWhatItReadsIsACircleOfOne) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const pid_t pid = child([] {
    const Pipe own;
    read_one(own.reader.get());
  });
  wait_until_in(pid, SYS_read);
  EXPECT_THAT(circle_within_patience(pid), UnorderedElementsAre(pid));
}

TEST_F(Stand, AnEventLoopThatHasNothingToDoIsNone) {
  const pid_t loop = child([] {
    const Pipe own;
    pollfd one{own.reader.get(), POLLIN, 0};
    ::poll(&one, 1, -1);
  });
  wait_until_in(loop, SYS_poll);
  expect_no_circle(loop);
}

TEST_F(Stand, TwoLocksTakenInOppositeOrderAreACircle) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  char first_path[] = "/tmp/forkproof-lock-XXXXXX", second_path[] = "/tmp/forkproof-lock-XXXXXX";
  ::close(::mkstemp(first_path)), ::close(::mkstemp(second_path));
  Pipe left_has, right_has;
  const auto take_both = [](const char* one, const char* other, const Pipe& mine, const Pipe& theirs) {
    ::flock(::open(one, O_RDWR | O_CLOEXEC), LOCK_EX);
    mine.tell("x"), read_one(theirs.reader.get());
    ::flock(::open(other, O_RDWR | O_CLOEXEC), LOCK_EX);
  };
  const pid_t left = child([&] { take_both(first_path, second_path, left_has, right_has); });
  const pid_t right = child([&] { take_both(second_path, first_path, right_has, left_has); });
  wait_until_in(left, SYS_flock), wait_until_in(right, SYS_flock);
  EXPECT_THAT(circle_within_patience(left), UnorderedElementsAre(left, right));
  ::unlink(first_path), ::unlink(second_path);
}

// --- What only looks like one: in each, the left one has one more way to wake.

TEST_F(Stand, ATimeLimitIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    pollfd one{fd, POLLIN, 0};
    ::poll(&one, 1, 600'000);
  }, SYS_poll).left);
}

TEST_F(Stand, WithoutATimeLimitPollIsAsRead) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const Pair both = pair([](int fd) {
    pollfd one{fd, POLLIN, 0};
    ::poll(&one, 1, -1);
  }, SYS_poll);
  EXPECT_THAT(circle_within_patience(both.right), UnorderedElementsAre(both.left, both.right));
}

TEST_F(Stand, AHandlerBehindASelfPipeIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    catches(SIGTERM);
    const Pipe own;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    FD_SET(own.reader.get(), &set);
    ::pselect(std::max(fd, own.reader.get()) + 1, &set, nullptr, nullptr, nullptr, nullptr);
  }, SYS_pselect6).left);
}

TEST_F(Stand, AHandlerOfAProcessThatReadsIsAWayOut) {
  expect_no_circle(pair([](int fd) { catches(SIGTERM), read_one(fd); }, SYS_read).left);
}

template <class Add>
void wait_in_epoll(int fd, const Add& add) {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  ::epoll_ctl(set, EPOLL_CTL_ADD, add(), &event);
  ::epoll_wait(set, &event, 1, -1);
}

TEST_F(Stand, ASignalDescriptorIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    wait_in_epoll(fd, [] {
      sigset_t mask;
      sigemptyset(&mask), sigaddset(&mask, SIGTERM);
      ::sigprocmask(SIG_BLOCK, &mask, nullptr);
      return ::signalfd(-1, &mask, SFD_CLOEXEC);
    });
  }, SYS_epoll_wait).left);
}

TEST_F(Stand, ATimerThatIsSetIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    wait_in_epoll(fd, [] {
      const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
      const itimerspec often{{600, 0}, {600, 0}};
      ::timerfd_settime(timer, 0, &often, nullptr);
      return timer;
    });
  }, SYS_epoll_wait).left);
}

TEST_F(Stand, ATimerThatIsNotSetIsNone) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const Pair both = pair([](int fd) { wait_in_epoll(fd, [] { return ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); }); }, SYS_epoll_wait);
  EXPECT_THAT(circle_within_patience(both.left), UnorderedElementsAre(both.left, both.right));
}

TEST_F(Stand, AnEventDescriptorOfItsOwnIsNoWayOut) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const Pair both = pair([](int fd) { wait_in_epoll(fd, [] { return ::eventfd(0, EFD_CLOEXEC); }); }, SYS_epoll_wait);
  EXPECT_THAT(circle_within_patience(both.left), UnorderedElementsAre(both.left, both.right));
}

TEST_F(Stand, AnEventDescriptorThatAnotherProcessHasIsAWayOut) {
  const Fd shared(::eventfd(0, EFD_CLOEXEC));
  child([] { ::sleep(600); });
  expect_no_circle(pair([&](int fd) { wait_in_epoll(fd, [&] { return shared.get(); }); }, SYS_epoll_wait).left);
}

TEST_F(Stand, AListeningSocketIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    wait_in_epoll(fd, [] {
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ::listen(socket, 1);
      return socket;
    });
  }, SYS_epoll_wait).left);
}

TEST_F(Stand, ADatagramSocketWithAnAddressIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    wait_in_epoll(fd, [] {
      const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      const sa_family_t any = AF_UNIX;  // the kernel chooses an abstract name
      ::bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any);
      return socket;
    });
  }, SYS_epoll_wait).left);
}

TEST_F(Stand, ANamedPipeIsAWayOut) {
  char folder[] = "/tmp/forkproof-fifo-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_no_circle(pair([&](int fd) { wait_in_epoll(fd, [&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); }); }, SYS_epoll_wait).left);
  ::unlink(path.c_str()), ::rmdir(folder);
}

TEST_F(Stand, AThreadThatSleepsForATimeIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    std::thread([] { ::sleep(600); }).detach();
    read_one(fd);
  }, SYS_read).left);
}

TEST_F(Stand, ATimerOfItsOwnIsAWayOut) {
  expect_no_circle(pair([](int fd) {
    timer_t timer{};
    ::timer_create(CLOCK_MONOTONIC, nullptr, &timer);
    const itimerspec late{{0, 0}, {600, 0}};
    ::timer_settime(timer, 0, &late, nullptr);
    read_one(fd);
  }, SYS_read).left);
}

TEST_F(Stand, AnAlarmOfOneWouldWakeTheOther) {
  expect_no_circle(pair([](int fd) { ::alarm(600), read_one(fd); }, SYS_read).right);
}

TEST_F(Stand, AnotherHolderOfTheWritingEndThatCanGoOnIsAWayOut) {
  Pipe there, back;
  const pid_t left = child([&] { there.reader.reset(), back.writer.reset(), read_one(back.reader.get()); });
  const pid_t right = child([&] { back.reader.reset(), there.writer.reset(), read_one(there.reader.get()); });
  child([&] { ::sleep(600); });
  there = Pipe(), back = Pipe();
  wait_until_in(left, SYS_read), wait_until_in(right, SYS_read);
  expect_no_circle(left);
}

TEST_F(Stand, ASocketWithATimeLimitIsAWayOut) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Fd here(ends[0]), there(ends[1]);
  const auto left = child([&] {
    const timeval limit{600, 0};
    ::setsockopt(here.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    there.reset(), read_one(here.get());
  });
  const auto right = child([&] { here.reset(), read_one(there.get()); });
  here.reset(), there.reset();
  wait_until_in(left, SYS_read), wait_until_in(right, SYS_read);
  expect_no_circle(left);
}

TEST_F(Stand, AnIdleTaskAndItsSupervisorAreNoCircle) {
  const pid_t supervisor = child([] { ::waitpid(child([] {}), nullptr, 0); });
  wait_until_in(supervisor, SYS_wait4);
  expect_no_circle(supervisor);
}

// --- A standstill.

TEST_F(Stand, IdleProcessesThatNobodyCouldWakeAreAtAStandstill) {
  if (!alarms_can_be_seen()) GTEST_SKIP() << "/proc/timer_list is root's";
  const pid_t one = child([] { catches(SIGTERM); });
  wait_until_in(one, SYS_pause);
  EXPECT_THAT(proof_within_patience(), HasSubstr("it is blocked"));
  const pid_t other = child([] { ::waitpid(child([] {}), nullptr, 0); });
  wait_until_in(other, SYS_wait4);
  EXPECT_THAT(proof_within_patience(), HasSubstr("all 3 are blocked"));
}

TEST_F(Stand, OneThatSleepsForATimeIsEnoughForNone) {
  wait_until_in(child([] { ::sleep(600); }), SYS_clock_nanosleep);
  wait_until_in(child([] {}), SYS_pause);
  for (int i = 0; i < looks; ++i) EXPECT_THAT(proof(), IsEmpty());
}

TEST_F(Stand, AnAlarmIsEnoughForNone) {
  wait_until_in(child([] { ::alarm(600); }), SYS_pause);
  for (int i = 0; i < looks; ++i) EXPECT_THAT(proof(), IsEmpty());
}

// --- Numbers of another PID namespace.

TEST_F(Stand, ANestedNamespaceCountsByItself) {
  Pipe told;
  const pid_t outer = child([&] {
    if (::unshare(CLONE_NEWPID) != 0) return told.writer.reset();
    ::waitpid(child([&] {
      // PID 1 in there waits for its PID 2, whatever that number is elsewhere.
      const pid_t inner = child([] {});
      told.tell("x");
      ::waitpid(inner, nullptr, 0);
    }), nullptr, 0);
  });
  told.writer.reset();
  if (!told.wait()) GTEST_SKIP() << "no PID namespace can be made here";
  const std::vector<int> first = children_of(outer);
  ASSERT_EQ(first.size(), 1U);
  wait_until_in(first.front(), SYS_wait4);
  const std::vector<int> second = children_of(first.front());
  ASSERT_EQ(second.size(), 1U);
  EXPECT_TRUE(in_nested_pid_namespace(first.front()));
  EXPECT_EQ(process_called(first.front(), 2, {::getpid(), outer, second.front()}), second.front());
  EXPECT_EQ(process_called(first.front(), second.front(), {second.front()}), 0);
  EXPECT_EQ(process_with_thread(second.front(), 2, {::getpid(), 2}), second.front());
  EXPECT_EQ(process_with_thread(second.front(), 1, {::getpid(), first.front()}), first.front());
  Standstill still(false, ::getpid());
  EXPECT_THAT(still.wait(first.front()).doing, HasSubstr("for pid " + std::to_string(second.front()) + ", which it calls 2"));
  EXPECT_THAT(circle_from(first.front()), IsEmpty());
}

}  // namespace
}  // namespace forkproof::observe
