#include "harness/observe/full_channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/core/fd.h"

namespace forkproof::observe {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// A child that writes so many bytes into a pipe of ours, one byte at a time, and then waits.
class Writer {
 public:
  explicit Writer(int bytes) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ours.reset(ends[0]);
    struct stat about {};
    ::fstat(ends[0], &about);
    name = "pipe:[" + std::to_string(about.st_ino) + "]";
    pid = ::fork();
    if (pid == 0) {
      ::close(ends[0]);
      for (int i = 0; i < bytes; ++i) [[maybe_unused]] const auto wrote = ::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
  }
  ~Writer() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  [[nodiscard]] CaptureOpened captured(const char* drain) const {
    return {::getpid(), "stdout", "pipe", drain, name, name};
  }

  Fd ours;
  std::string name;
  pid_t pid = -1;
};

/// What is found within `patience`.
std::optional<Finding> found_of(const Writer& writer, const char* drain, Nanos patience) {
  FullChannelWatch watch;
  watch.captured(writer.captured(drain));
  const Nanos until = monotonic_now() + patience;
  while (monotonic_now() < until) {
    if (auto found = watch.look(writer.pid)) return found;
    ::usleep(500);
  }
  return std::nullopt;
}

TEST(FullChannel, IsProvedWhereTheReaderWaitsForTheWritersEnd) {
  const Writer writer(65'537);
  const auto found = found_of(writer, "after-exit", 5s);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->how, "pipe-write");
  EXPECT_TRUE(found->proved);
  EXPECT_THAT(found->because, HasSubstr("each waits for the other"));
  EXPECT_THAT(found->because, HasSubstr(writer.name));
}

TEST(FullChannel, IsProvedWhereNobodyEverReads) {
  const Writer writer(65'537);
  const auto found = found_of(writer, "never", 5s);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->proved);
  EXPECT_THAT(found->because, HasSubstr("which never reads it"));
}

TEST(FullChannel, IsToldOnceForEachProcess) {
  const Writer writer(65'537);
  FullChannelWatch watch;
  watch.captured(writer.captured("never"));
  const auto told_within = [&](int looks) {
    for (int i = 0; i < looks; ++i, ::usleep(500)) {
      if (watch.look(writer.pid)) return true;
    }
    return false;
  };
  EXPECT_TRUE(told_within(10'000));
  EXPECT_FALSE(told_within(20));
  watch.forget(writer.pid);
  EXPECT_TRUE(told_within(20)) << "another one of that number";
}

TEST(FullChannel, OneByteLessFits) {
  const Writer writer(65'536);
  EXPECT_FALSE(found_of(writer, "after-exit", 300ms));
}

TEST(FullChannel, AReaderThatReadsMeanwhileIsNoMatter) {
  const Writer writer(65'537);
  EXPECT_FALSE(found_of(writer, "while-waiting", 300ms));
}

TEST(FullChannel, AStrangerWithAnEndMayStillRead) {
  const Writer writer(65'537);
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    for (;;) ::pause();
  }
  const auto at_once = found_of(writer, "after-exit", 100ms);
  const auto later = found_of(writer, "after-exit", 5s);
  ::kill(stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
  EXPECT_FALSE(at_once);
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->proved);
}

}  // namespace
}  // namespace forkproof::observe
