#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/faults/locks/lock.h"

namespace forkproof::faults {
namespace {

// As MALLOC_ARENA_MAX=1 in the caller's environment has it. In a process of its own, since what is held is held for good; in
// the main arena it would be this process's own malloc that waits.
TEST(MallocArena, IsNotTheMainOneWhateverTheCallerHasSet) {
  enum { proved, not_proved, cannot };
  const pid_t other = ::fork();
  if (other == 0) {
    ::alarm(20);
    ::mallopt(M_ARENA_MAX, 1);
    try {
      const std::string proof = find_lock("malloc-arena")->make()->hold();
      ::_exit(proof.find("not the main one") != std::string::npos ? proved : not_proved);
    } catch (const std::exception& error) {
      ::_exit(std::string(error.what()).find("userfault") != std::string::npos ? cannot : not_proved);
    }
  }
  int status = -1;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == cannot) GTEST_SKIP() << "no userfaultfd here";
  EXPECT_EQ(WEXITSTATUS(status), proved);
}

}  // namespace
}  // namespace forkproof::faults
