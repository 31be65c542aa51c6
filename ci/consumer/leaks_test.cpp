// Each test leaves one thing behind, or nothing; each passes by its own lights. What the listener must say of them is in
// ci/consumer-test.
#include <dirent.h>
#include <fcntl.h>
#include <forkproof/gtest.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

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

// posix_spawn runs no at-fork handler: without the process connector nobody can tell it from an orphan's.
TEST(Leaks, AZombieOfPosixSpawn) {
  pid_t child = 0;
  char name[] = "true";
  char* words[] = {name, nullptr};
  EXPECT_EQ(posix_spawnp(&child, name, nullptr, nullptr, words, environ), 0);
  siginfo_t about;
  EXPECT_EQ(waitid(P_PID, child, &about, WEXITED | WNOWAIT), 0);
}

/// The process that notes births, which is this program forked: stopped, as on a machine that is too busy for it.
class Notary {
 public:
  Notary() {
    namespace fs = std::filesystem;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
      std::error_code gone;
      std::string name;
      std::getline(std::ifstream(entry.path() / "comm"), name);
      if (name == "forkproof-birth" && fs::read_symlink(entry.path() / "exe", gone) == fs::read_symlink("/proc/self/exe")) {
        pid_ = std::stoi(entry.path().filename());
      }
    }
    EXPECT_GT(pid_, 0);
    if (pid_ > 0) kill(pid_, SIGSTOP);
  }
  ~Notary() {
    if (pid_ > 0) kill(pid_, SIGCONT);
  }

 private:
  pid_t pid_ = 0;
};

/// vfork, which runs no at-fork handler either.
void zombie_behind_a_crowd(int crowd) {
  const Notary notary;
  for (int i = 0; i < crowd; ++i) {
    const pid_t child = vfork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
  }
  const pid_t child = vfork();
  if (child == 0) _exit(4);
}

// More than wait in a socket's queue as the system has it, and more than wait in any.
TEST(Leaks, AZombieBehindACrowd) { zombie_behind_a_crowd(3'000); }
TEST(Leaks, AZombieBehindAGreatCrowd) { zombie_behind_a_crowd(15'000); }

TEST(Leaks, ADescriptor) { EXPECT_GE(open("/dev/zero", O_RDONLY), 0); }

// An orphan that has ended is init's to reap, not this program's: also when its parent was there for less than a look, and
// when it was forked, and its parent gone before it could ask for it.
TEST(Leaks, NothingButAnOrphanThatEndsInTime) { EXPECT_EQ(system("sleep 0.05 >/dev/null & true"), 0); }
TEST(Leaks, NothingButAForkedOrphan) {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) usleep(50'000);
    _exit(0);
  }
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

TEST(Leaks, NothingAfterAllThat) {}
