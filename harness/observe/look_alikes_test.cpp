// What is stuck is found, and what only looks so is not. Each look-alike waits in a way that resembles a deadlock and
// goes on by itself: its exit status of 0 shows that it could. FORKPROOF_LOOK_ALIKE_RUNS=N runs each N times
// (ci/false-proofs); each is looked at without a pause, so that every moment of it is met.
#include "harness/observe/stuck.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "harness/core/children.h"
#include "harness/core/fd.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr auto a_moment = milliseconds(8);  // that a look-alike waits
constexpr Nanos patience = std::chrono::seconds(10);

/// Forks, so that the body has a process of its own; killed with all its children and reaped when dropped.
class Process {
 public:
  explicit Process(int (*body)()) : pid_(::fork()) {
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::_exit(body());
    }
    ::setpgid(pid_, pid_);
  }
  ~Process() {
    ::kill(-pid_, SIGKILL);
    ::kill(-pid_, SIGCONT);
    if (!reaped_) ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] Pid pid() const { return pid_; }
  bool has_ended(int* status) {
    reaped_ = reaped_ || ::waitpid(pid_, status, WNOHANG) == pid_;
    return reaped_;
  }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

/// Looks at the process and all below it until it finds something in `who` (0: in anybody).
std::optional<Finding> find_in(StuckWatch& watch, Pid root) {
  for (const Nanos give_up = monotonic_now() + patience; monotonic_now() < give_up;) {
    std::vector<int> all = descendants_of(root);
    all.push_back(root);
    for (const Pid pid : all) {
      if (auto finding = watch.look(pid)) return finding;
    }
  }
  return std::nullopt;
}

void spend(Nanos time) {
  for (const Nanos end = monotonic_now() + time; monotonic_now() < end;) {
  }
}

// --- Look-alikes.

int timed_wait() {
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, a_moment);
  return 0;
}

int join_of_an_own_worker() {
  std::thread([] { std::this_thread::sleep_for(a_moment); }).join();
  return 0;
}

int process_shared_semaphore() {
  auto* semaphore = static_cast<sem_t*>(
      ::mmap(nullptr, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ::sem_init(semaphore, 1, 0);
  const pid_t poster = ::fork();
  if (poster == 0) {
    std::this_thread::sleep_for(a_moment);
    ::_exit(::sem_post(semaphore));
  }
  ::sem_wait(semaphore);
  return ::waitpid(poster, nullptr, 0) == poster ? 0 : 1;
}

int busy_loop() {
  spend(a_moment);
  return 0;
}

int slow_resolver() {  // asks, and waits for an answer that does not come
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  pollfd answer{socket, POLLIN, 0};
  return ::poll(&answer, 1, static_cast<int>(a_moment.count()));
}

int sleep() {
  std::this_thread::sleep_for(a_moment);
  return 0;
}

sem_t posted_by_handler;
int semaphore_that_a_handler_posts() {
  ::sem_init(&posted_by_handler, 0, 0);
  ::signal(SIGALRM, [](int) { ::sem_post(&posted_by_handler); });
  itimerval timer{};
  timer.it_value.tv_usec = std::chrono::microseconds(a_moment).count();
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  while (::sem_wait(&posted_by_handler) != 0) {
  }
  return 0;
}

int shared_word = 0;
void wait_for_shared_word() {
  while (__atomic_load_n(&shared_word, __ATOMIC_SEQ_CST) == 0) {
    ::syscall(SYS_futex, &shared_word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
  }
}
void set_shared_word() {
  __atomic_store_n(&shared_word, 1, __ATOMIC_SEQ_CST);
  ::syscall(SYS_futex, &shared_word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

int vfork_child_that_a_thread_of_its_parent_wakes() {
  std::thread waker([] {
    std::this_thread::sleep_for(a_moment);
    set_shared_word();
  });
  const pid_t pid = ::vfork();  // NOLINT: the point of it
  if (pid == 0) {
    wait_for_shared_word();
    ::_exit(0);
  }
  waker.join();
  return ::waitpid(pid, nullptr, 0) == pid ? 0 : 1;
}

char other_stack[64 * 1024];
int parent_of_a_clone_that_shares_memory() {  // the parent waits, the clone wakes it
  const int pid = ::clone(
      [](void*) {
        const timespec moment{0, std::chrono::nanoseconds(a_moment).count()};
        ::nanosleep(&moment, nullptr);
        set_shared_word();
        return 0;
      },
      other_stack + sizeof other_stack, CLONE_VM | SIGCHLD, nullptr);
  wait_for_shared_word();
  return ::waitpid(pid, nullptr, 0) == pid ? 0 : 1;
}

int two_threads_of_which_one_runs() {
  std::mutex mutex;
  std::atomic<bool> inside{false};
  std::thread owner([&] {
    const std::lock_guard locked(mutex);
    inside = true;
    spend(a_moment);
  });
  while (!inside) {
  }
  mutex.lock();
  owner.join();
  return 0;
}

int ping_pong() {  // at every moment one of two waits for ever, and now and then the looks miss the other's turn
  struct Side {
    sem_t turn;
  } sides[2];
  for (Side& side : sides) ::sem_init(&side.turn, 0, 0);
  const Nanos end = monotonic_now() + a_moment;
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (::sem_wait(&sides[1].turn) == 0 && !over) ::sem_post(&sides[0].turn);
  });
  while (monotonic_now() < end) {
    ::sem_post(&sides[1].turn);
    ::sem_wait(&sides[0].turn);
  }
  over = true;
  ::sem_post(&sides[1].turn);
  other.join();
  return 0;
}

int relay() {  // one joins the next, which was not there a moment ago
  for (const Nanos end = monotonic_now() + a_moment; monotonic_now() < end;) {
    std::thread([] { std::thread([] {}).join(); }).join();
  }
  return 0;
}

int pipe_that_a_thread_will_drain() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
  std::thread reader([&] {
    std::this_thread::sleep_for(a_moment);
    char block[65'536];
    while (::read(ends[0], block, sizeof block) > 0) {
    }
  });
  static const char much[200'000] = {};
  const bool wrote = ::write(ends[1], much, sizeof much) == static_cast<ssize_t>(sizeof much);
  ::close(ends[1]);
  reader.join();
  return wrote ? 0 : 1;
}

int pipe_that_a_child_will_drain() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::close(ends[1]);
    std::this_thread::sleep_for(a_moment);
    char block[65'536];
    while (::read(ends[0], block, sizeof block) > 0) {
    }
    ::_exit(0);
  }
  static const char much[200'000] = {};
  const bool wrote = ::write(ends[1], much, sizeof much) == static_cast<ssize_t>(sizeof much);
  ::close(ends[1]);
  return ::waitpid(reader, nullptr, 0) == reader && wrote ? 0 : 1;
}

int wait_for_a_child_that_sleeps() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(sleep());
  return ::waitpid(child, nullptr, 0) == child ? 0 : 1;
}

struct LookAlike {
  const char* name;
  int (*body)();
};
class LookAlikes : public testing::TestWithParam<LookAlike> {};

TEST_P(LookAlikes, AreNeverProvedStuck) {
  const char* asked = std::getenv("FORKPROOF_LOOK_ALIKE_RUNS");
  const int runs = asked != nullptr ? std::atoi(asked) : 3;
  std::uint64_t looks = 0;
  for (int run = 0; run < runs; ++run) {
    Process process(GetParam().body);
    StuckWatch watch(true, ::getpid());
    int status = 0;
    const Nanos give_up = monotonic_now() + patience;
    while (!process.has_ended(&status)) {
      std::vector<int> all = descendants_of(process.pid());
      all.push_back(process.pid());
      for (const Pid pid : all) {
        const auto finding = watch.look(pid);
        ++looks;
        ASSERT_FALSE(finding && finding->proved) << "run " << run << ": " << finding->how << ": " << finding->because;
      }
      ASSERT_LT(monotonic_now(), give_up) << "it did not go on by itself";
    }
    ASSERT_EQ(status, 0) << "run " << run;
  }
  RecordProperty("runs", runs);
  RecordProperty("looks", std::to_string(looks));
}

INSTANTIATE_TEST_SUITE_P(
    Each, LookAlikes,
    testing::Values(LookAlike{"TimedWait", timed_wait}, LookAlike{"JoinOfAnOwnWorker", join_of_an_own_worker},
                    LookAlike{"ProcessSharedSemaphore", process_shared_semaphore}, LookAlike{"BusyLoop", busy_loop},
                    LookAlike{"SlowResolver", slow_resolver}, LookAlike{"Sleep", sleep},
                    LookAlike{"SemaphoreThatAHandlerPosts", semaphore_that_a_handler_posts},
                    LookAlike{"VforkChildThatAThreadOfItsParentWakes", vfork_child_that_a_thread_of_its_parent_wakes},
                    LookAlike{"ParentOfACloneThatSharesMemory", parent_of_a_clone_that_shares_memory},
                    LookAlike{"TwoThreadsOfWhichOneRuns", two_threads_of_which_one_runs},
                    LookAlike{"PingPong", ping_pong}, LookAlike{"Relay", relay},
                    LookAlike{"PipeThatAThreadWillDrain", pipe_that_a_thread_will_drain},
                    LookAlike{"PipeThatAChildWillDrain", pipe_that_a_child_will_drain},
                    LookAlike{"WaitForAChildThatSleeps", wait_for_a_child_that_sleeps}),
    [](const auto& each) { return std::string(each.param.name); });

// --- The truly stuck.

int write_to_a_pipe_that_only_it_reads() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
  static const char much[200'000] = {};
  return ::write(ends[1], much, sizeof much) > 0 ? 0 : 1;
}

int page_that_only_it_could_fill() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto* page = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const int handler = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  uffdio_api api{UFFD_API, 0, 0};
  uffdio_register range{};
  range.range = {reinterpret_cast<std::uintptr_t>(page), size};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (handler < 0 || ::ioctl(handler, UFFDIO_API, &api) != 0 || ::ioctl(handler, UFFDIO_REGISTER, &range) != 0) return 1;
  return *static_cast<volatile char*>(page);
}

int stuck_by_itself() {
  std::mutex mutex;
  mutex.lock();
  mutex.lock();
  return 0;
}

int stuck_in_a_lock_of_this_program() {
  static std::mutex mutex;
  mutex.lock();
  mutex.lock();
  return 0;
}

int wait_for_a_stuck_child() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(stuck_by_itself());
  return ::waitpid(child, nullptr, 0);
}

int stop() { return ::raise(SIGSTOP); }

int spin() {
  for (;;) asm volatile("");
}

TEST(TrulyStuck, AWriterThatIsTheOnlyReader) {
  const Process process(write_to_a_pipe_that_only_it_reads);
  StuckWatch watch(true, ::getpid());
  const auto finding = find_in(watch, process.pid());
  ASSERT_TRUE(finding);
  EXPECT_TRUE(finding->proved) << finding->how << ": " << finding->because;
  EXPECT_THAT(finding->because, HasSubstr("which it alone can read"));
}

TEST(TrulyStuck, APageThatNobodyFills) {
  Process process(page_that_only_it_could_fill);
  StuckWatch watch(true, ::getpid());
  int status = 0;
  std::optional<Finding> finding;
  while (!finding && !process.has_ended(&status)) finding = watch.look(process.pid());
  if (!finding) GTEST_SKIP() << "this kernel refuses userfaultfd";
  EXPECT_EQ(finding->how, "deadlock");
  EXPECT_THAT(finding->because, HasSubstr("userfaultfd"));
}

TEST(TrulyStuck, AWaitForAChildThatIsStuck) {
  const Process process(wait_for_a_stuck_child);
  StuckWatch watch(true, ::getpid());
  const auto child = find_in(watch, process.pid());
  ASSERT_TRUE(child);
  EXPECT_EQ(child->how, "deadlock");
  const auto parent = find_in(watch, process.pid());
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->how, "child-wait");
  EXPECT_TRUE(parent->proved);
  EXPECT_THAT(parent->because, HasSubstr("which is stuck (deadlock)"));
}

TEST(TrulyStuck, TheStoppedAreFoundAndNotProved) {
  const Process process(stop);
  StuckWatch watch(true, ::getpid());
  const auto finding = find_in(watch, process.pid());
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->how, "stopped");
  EXPECT_FALSE(finding->proved);
}

// Honest work looks the same as a spin lock without its owner: it is told as what it is, and found stuck in no time.
TEST(Computing, AProcessThatComputesIsRunningAndNotStuck) {
  const Process process(spin);
  StuckWatch watch(true, ::getpid());
  const Nanos enough = std::chrono::milliseconds(600);
  const Nanos began = monotonic_now(), give_up = began + std::chrono::seconds(60);
  std::string running;
  while (monotonic_now() - began < enough || !running.ends_with("no system call seen")) {
    ASSERT_FALSE(watch.look(process.pid()));
    running = watch.running(process.pid());
    ASSERT_LT(monotonic_now(), give_up) << running;
  }
  EXPECT_THAT(running, testing::StartsWith("running: "));
  EXPECT_THAT(watch.describe(process.pid()), HasSubstr("of CPU time"));
}

int ask_the_kernel() {
  for (;;) ::syscall(SYS_getppid);
}

TEST(Computing, SystemCallsAreNoComputing) {
  const Process process(ask_the_kernel);
  StuckWatch watch(true, ::getpid());
  const Nanos until = monotonic_now() + std::chrono::milliseconds(600);
  std::string running;
  while (monotonic_now() < until || !running.ends_with("of it in the kernel")) {
    ASSERT_FALSE(watch.look(process.pid()));
    running = watch.running(process.pid());
    ASSERT_LT(monotonic_now(), until + std::chrono::seconds(60)) << running;
  }
}

TEST(Computing, AProcessThatWaitsIsNotRunning) {
  const Process process(stop);
  StuckWatch watch(true, ::getpid());
  ASSERT_TRUE(find_in(watch, process.pid()));
  EXPECT_EQ(watch.running(process.pid()), "");
}

TEST(TrulyStuck, ALockIsToldByWhoseMemoryItIsIn) {
  const Process process(stuck_in_a_lock_of_this_program);
  StuckWatch watch(true, ::getpid());
  const auto finding = find_in(watch, process.pid());
  ASSERT_TRUE(finding);
  EXPECT_THAT(finding->because, HasSubstr(" of observe_tests, private, no timeout"));
}

TEST(TrulyStuck, TellsOfEachOnlyOnce) {
  const Process process(stuck_by_itself);
  StuckWatch watch(true, ::getpid());
  ASSERT_TRUE(find_in(watch, process.pid()));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.look(process.pid()));
}

}  // namespace
}  // namespace forkproof::observe
