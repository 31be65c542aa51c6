#include "harness/core/descriptor_passing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "harness/core/fd.h"

namespace forkproof {
namespace {

class DescriptorPassing : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_.reset(ends[0]), there_.reset(ends[1]);
  }
  Fd here_, there_;
  int got_[most_passed] = {};
  std::size_t count_ = 99;
  char byte_ = 0;
};

ino_t inode_of(int fd) {
  struct stat about {};
  EXPECT_EQ(::fstat(fd, &about), 0);
  return about.st_ino;
}

TEST_F(DescriptorPassing, TheSameFilesArriveInOrderAndCloseOnExec) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, 0), 0);
  const Fd out(ends[0]), in(ends[1]);
  ASSERT_TRUE(send_with_descriptors(here_.get(), "x", 1, ends, 2));
  ASSERT_EQ(receive_with_descriptors(there_.get(), &byte_, 1, 0, got_, &count_), 1);
  ASSERT_EQ(count_, 2U);
  const Fd first(got_[0]), second(got_[1]);
  EXPECT_EQ(byte_, 'x');
  EXPECT_EQ(inode_of(first.get()), inode_of(out.get()));
  EXPECT_EQ(::fcntl(first.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(::fcntl(second.get(), F_GETFL) & O_ACCMODE, O_WRONLY);
  EXPECT_EQ(::fcntl(first.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(DescriptorPassing, AMessageMayComeWithNone) {
  ASSERT_TRUE(send_with_descriptors(here_.get(), "x", 1, nullptr, 0));
  EXPECT_EQ(receive_with_descriptors(there_.get(), &byte_, 1, 0, got_, &count_), 1);
  EXPECT_EQ(count_, 0U);
}

TEST_F(DescriptorPassing, TooManyAreRefusedAndTheEndIsNoMessage) {
  const std::vector<int> many(most_passed + 1, here_.get());
  EXPECT_FALSE(send_with_descriptors(here_.get(), "x", 1, many.data(), many.size()));
  EXPECT_EQ(errno, E2BIG);
  here_.reset();
  EXPECT_EQ(receive_with_descriptors(there_.get(), &byte_, 1, 0, got_, &count_), 0);
  EXPECT_EQ(count_, 0U);
}

}  // namespace
}  // namespace forkproof
