// Each test leaves one thing behind, or nothing; each passes by its own lights. What the listener must say of them is in
// ci/consumer-test.
#include <fcntl.h>
#include <forkproof/gtest.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(Leaks, Nothing) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  const int fd = open("/dev/null", O_RDONLY);
  EXPECT_EQ(close(fd), 0);
}

TEST(Leaks, AProcess) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  EXPECT_GT(child, 0);
}

// The shell starts it and ends: an orphan, which without forkproof would be init's by now.
TEST(Leaks, AnOrphan) { EXPECT_EQ(system("sleep 600 >/dev/null 2>&1 </dev/null & sleep 0.05"), 0); }

TEST(Leaks, AZombie) {
  const pid_t child = fork();
  if (child == 0) _exit(3);
  siginfo_t about;
  EXPECT_EQ(waitid(P_PID, child, &about, WEXITED | WNOWAIT), 0);  // it has ended, and is left as it is
}

TEST(Leaks, ADescriptor) { EXPECT_GE(open("/dev/zero", O_RDONLY), 0); }

// An orphan that has ended is init's to reap, not this program's.
TEST(Leaks, NothingButAnOrphanThatEndsInTime) { EXPECT_EQ(system("sleep 0.05 >/dev/null & true"), 0); }

TEST(Leaks, NothingAfterAllThat) {}
