#include "harness/run/watch.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace forkproof::run {
namespace {

// A lock without its owner: nobody of this process holds it, and nobody else can.
TEST(Watch, WhoIsEndedIsForgottenWithItsNumber) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  ::pthread_mutex_lock(&mutex);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pthread_mutex_lock(&mutex);
    ::_exit(0);
  }
  ProcessTable processes;
  processes.add({.pid = child, .parent = ::getpid(), .role = "task"});
  int told = 0;
  Watch watch(processes, true, ::getpid(), {[&](Process&, const observe::Finding&) { ++told; }, [](SignalWithoutEffect) {}, [] {}});
  while (told == 0) watch.look();
  for (int i = 0; i < 20; ++i) watch.look();
  EXPECT_EQ(told, 1);
  watch.ended(child);
  for (int i = 0; i < 20; ++i) watch.look();  // as if another one had that number now
  EXPECT_EQ(told, 2);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::pthread_mutex_unlock(&mutex);
}

}  // namespace
}  // namespace forkproof::run
