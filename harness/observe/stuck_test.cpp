// A deadlock is proved for those who cannot go on by themselves, and for nobody else.
#include "harness/core/child_for_test.h"
#include "harness/observe/stuck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <functional>
#include <thread>

#include "harness/observe/threads.h"

namespace forkproof::observe {
namespace {

using testing::HasSubstr;

struct Child : forkproof::Child {
  using forkproof::Child::Child;
  /// Blocks until its main thread is in this system call, which is where `body` leaves it.
  void wait_until_in(long call) const {
    Thread thread;
    while (!main_thread(pid(), &thread) || !thread.blocked || thread.number != call) continue;
  }
};

/// Many looks at one that waits but is not stuck.
void expect_never_found(const Child& child) {
  StuckWatch watch(true, ::getpid());
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(watch.look(child.pid()).has_value());
}

TEST(StuckWatch, ProvesALockThatWasInheritedWithoutItsOwner) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  ::pthread_mutex_lock(&mutex);  // by a thread of this process, which the child does not have
  const Child child([&] { ::pthread_mutex_lock(&mutex); });
  child.wait_until_in(SYS_futex);
  StuckWatch watch(true, ::getpid());
  const auto found = watch.look(child.pid());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->how, "deadlock");
  EXPECT_TRUE(found->proved);
  EXPECT_THAT(found->because, HasSubstr("which exists in pid " + std::to_string(::getpid()) + " and not here"));
  EXPECT_FALSE(watch.look(child.pid())) << "it is told once";
  watch.forget(child.pid());
  EXPECT_TRUE(watch.look(child.pid())) << "for each process of that number";
  ::pthread_mutex_unlock(&mutex);
}

TEST(StuckWatch, ProvesThreadsThatWaitForEachOther) {
  const Child child([] {
    static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
    static pthread_barrier_t both;
    ::pthread_barrier_init(&both, nullptr, 2);
    std::thread other([] {
      ::pthread_mutex_lock(&second);
      ::pthread_barrier_wait(&both);
      ::pthread_mutex_lock(&first);
    });
    ::pthread_mutex_lock(&first);
    ::pthread_barrier_wait(&both);
    ::pthread_mutex_lock(&second);
  });
  const Nanos limit = monotonic_now() + std::chrono::seconds(20);
  StuckWatch watch(true, ::getpid());
  std::optional<Finding> found;
  while (!found && monotonic_now() < limit) found = watch.look(child.pid());
  ASSERT_TRUE(found);
  EXPECT_THAT(found->because, HasSubstr("all 2 threads wait for each other"));
}

TEST(StuckWatch, WhoWaitsForSomethingElseIsNotStuck) {
  const Child child([] { ::pause(); });
  child.wait_until_in(SYS_pause);
  expect_never_found(child);
}

TEST(StuckWatch, ATimeoutEndsIt) {
  const Child child([] {
    sem_t never;
    ::sem_init(&never, 0, 0);
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3600;
    ::sem_timedwait(&never, &until);
  });
  child.wait_until_in(SYS_futex);
  expect_never_found(child);
}

TEST(StuckWatch, AHandlerCouldEndIt) {
  const Child child([] {
    ::signal(SIGUSR1, [](int) {});
    sem_t never;
    ::sem_init(&never, 0, 0);
    ::sem_wait(&never);
  });
  child.wait_until_in(SYS_futex);
  expect_never_found(child);
}

TEST(StuckWatch, AnotherProcessCouldEndItWhereTheWordIsShared) {
  auto* shared = static_cast<sem_t*>(::mmap(nullptr, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(shared), MAP_FAILED);
  ::sem_init(shared, 1, 0);
  {
    const Child child([&] { ::sem_wait(shared); });
    child.wait_until_in(SYS_futex);
    expect_never_found(child);
  }
  ::munmap(shared, sizeof(sem_t));
}

TEST(StuckWatch, AnotherThreadOfItsOwnCouldEndIt) {
  const Child child([] {
    std::thread other([] { ::pause(); });
    other.join();  // waits on a futex, and could be woken
  });
  child.wait_until_in(SYS_futex);
  expect_never_found(child);
}

TEST(StuckWatch, TheGoneAreNotStuck) {
  const Child child([] {});
  siginfo_t dead{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &dead, WEXITED | WNOWAIT), 0);
  expect_never_found(child);
  EXPECT_THAT(StuckWatch(true, ::getpid()).describe(child.pid()), HasSubstr("Z"));
}

}  // namespace
}  // namespace forkproof::observe
