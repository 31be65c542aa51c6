#include "harness/core/children.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <thread>

#include "harness/core/fd.h"

namespace forkproof {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

/// A child that waits until it is killed. Reaped by its destructor.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) ::pause();
  }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_;
};

TEST(ChildrenOf, NamesThoseThatAreNotReaped) {
  Sleeper first, second;
  EXPECT_THAT(children_of(::getpid()), ElementsAre(first.pid(), second.pid()));
  const int gone = first.pid();
  first.end();
  EXPECT_THAT(children_of(::getpid()), Not(Contains(gone)));
  EXPECT_THAT(children_of(gone), IsEmpty());
}

TEST(HasChildren, IsTrueUntilTheLastOneIsReaped) {
  EXPECT_FALSE(has_children());
  Sleeper child;
  EXPECT_TRUE(has_children());
  ::kill(child.pid(), SIGKILL);
  siginfo_t about{};
  ::waitid(P_PID, static_cast<id_t>(child.pid()), &about, WEXITED | WNOWAIT);
  EXPECT_TRUE(has_children()) << "a zombie is a child";
  child.end();
  EXPECT_FALSE(has_children());
}

TEST(ChildrenOf, SeesWhatAnotherThreadHasForked) {
  std::promise<int> forked;
  std::promise<void> looked;
  std::thread other([&] {
    Sleeper child;
    forked.set_value(child.pid());
    looked.get_future().wait();
  });
  const int pid = forked.get_future().get();
  EXPECT_THAT(children_of(::getpid()), Contains(pid));
  looked.set_value();
  other.join();
}

TEST(DescendantsOf, NamesParentsBeforeChildren) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reader(ends[0]), writer(ends[1]);
  const int child = ::fork();
  if (child == 0) {
    const int grandchild = ::fork();
    if (grandchild > 0) (void)!::write(writer.get(), &grandchild, sizeof grandchild);
    for (;;) ::pause();
  }
  int grandchild = 0;
  ASSERT_EQ(::read(reader.get(), &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  EXPECT_THAT(descendants_of(::getpid()), ElementsAre(child, grandchild));
  EXPECT_THAT(children_of(::getpid()), ElementsAre(child));
  ::kill(grandchild, SIGKILL);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace forkproof
