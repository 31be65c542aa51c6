// When `stdout-unread` calls a pipe full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "harness/core/child_for_test.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"
#include "harness/faults/struck_for_test.h"

namespace forkproof::faults {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int more_than_patience = 1'000;  // ticks

struct Pipe : forkproof::Pipe {
  /// By writes of this size, until poll finds no room.
  void fill(std::size_t size) const {
    const std::string block(size, 'x');
    pollfd room{writer.get(), POLLOUT, 0};
    while (::poll(&room, 1, 0) == 1 && ::write(writer.get(), block.data(), size) > 0) {
    }
  }
  [[nodiscard]] int bytes() const {
    int bytes = 0;
    ::ioctl(reader.get(), FIONREAD, &bytes);
    return bytes;
  }
};

/// A child that writes 80 bytes at a time until it is blocked.
struct Writer : Child {
  explicit Writer(const Pipe& pipe)
      : Child([&pipe] {
          const char block[80] = {};
          while (::write(pipe.writer.get(), block, sizeof block) > 0) {
          }
        }) {
    Rest rest;
    while (!rest.look(pid())) ::usleep(1000);
  }
};

/// What it says within so many ticks of a tree that is up, and of which this one may be the writer.
std::string proof_within(int ticks, const Pipe& pipe, Pid writer) {
  const auto fault = find_fault("stdout-unread")->make({"stdout-unread", {}});
  Struck strike;
  strike.reader = pipe.reader.get();
  fault->see({.what = Spawned{writer, 1, 0, "task"}}, strike);
  fault->see({.what = TreeReady{}}, strike);
  for (int i = 0; i < ticks && strike.proof.empty(); ++i) fault->tick(strike);
  return strike.proof;
}

TEST(StdoutUnread, AWriterThatIsBlockedInItIsTheProof) {
  const Pipe pipe;
  const Writer writer(pipe);
  EXPECT_THAT(proof_within(1, pipe, writer.pid()), HasSubstr("pid " + std::to_string(writer.pid()) + " is blocked in a write to it"));
}

TEST(StdoutUnread, AWriterThatIsBlockedElsewhereIsNone) {
  const Pipe pipe, another;
  pipe.fill(80);
  const Writer writer(another);
  EXPECT_THAT(proof_within(1, pipe, writer.pid()), IsEmpty());
}

// Its last page is taken, and poll says no; short writes still find room there.
TEST(StdoutUnread, APipeWithRoomInItsLastPageIsNotFull) {
  const Pipe pipe;
  pipe.fill(80);
  ASSERT_LT(pipe.bytes(), ::fcntl(pipe.reader.get(), F_GETPIPE_SZ) - 4000);
  EXPECT_THAT(proof_within(more_than_patience, pipe, ::getpid()), IsEmpty());
}

TEST(StdoutUnread, WhereNobodyIsSeenBlockedThatIsSaid) {
  const Pipe pipe;
  pipe.fill(4096);
  EXPECT_THAT(proof_within(more_than_patience, pipe, ::getpid()), HasSubstr("nobody was seen blocked in a write to it"));
}

}  // namespace
}  // namespace forkproof::faults
