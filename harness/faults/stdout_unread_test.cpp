// When `stdout-unread` calls a pipe full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <unistd.h>

#include <thread>

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
  EXPECT_THAT(proof_within(1, pipe, writer.pid()), HasSubstr("pid " + std::to_string(writer.pid()) + " is blocked in write() to it"));
}

/// Lines that fill each page in part: no second one fits into a page.
constexpr std::size_t most_of_a_page = 2'835;

/// Until a thread of it sleeps in what `body` ends with.
void wait_until_asleep(const Child& child) {
  Rest rest;
  while (!rest.look(child.pid())) ::usleep(1000);
}

// A supervisor relays its task's output in a thread of its own, and nobody has introduced it.
TEST(StdoutUnread, AThreadThatIsBlockedInItWithPagesPartlyFilledIsTheProof) {
  const Pipe pipe;
  const Child relay([&pipe] {
    std::thread writer([&pipe] {
      const std::string line(most_of_a_page, 'x');
      while (::write(pipe.writer.get(), line.data(), line.size()) > 0) {
      }
    });
    ::pause();
  });
  pollfd room{pipe.writer.get(), POLLOUT, 0};
  while (::poll(&room, 1, 0) == 1) ::usleep(1000);
  std::string proof;
  while (proof.empty()) proof = proof_within(1, pipe, ::getpid());  // the thread is on its way into the next write
  EXPECT_THAT(proof, HasSubstr("pid " + std::to_string(relay.pid()) + " is blocked in write() to it"));
  EXPECT_THAT(proof, HasSubstr("is full with 45360 bytes"));
}

struct Waiter {
  const char* name;
  void (*wait)(int fd);
  const char* proof;
};
void wait_in_poll(int fd) {
  pollfd room{fd, POLLOUT, 0};
  ::poll(&room, 1, -1);
}
void wait_in_select(int fd) {
  fd_set room;
  FD_ZERO(&room);
  FD_SET(fd, &room);
  ::select(fd + 1, nullptr, &room, nullptr, nullptr);
}
void wait_in_epoll_for(int fd, std::uint32_t events) {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event interest{};
  interest.events = events;
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &interest);
  epoll_event ready{};
  ::epoll_wait(epoll.get(), &ready, 1, -1);
  ::pause();
}
void wait_in_epoll(int fd) { wait_in_epoll_for(fd, EPOLLOUT); }
void wait_in_epoll_for_a_change(int fd) { wait_in_epoll_for(fd, EPOLLOUT | EPOLLET); }
void write_a_vector(int fd) {
  char block[64] = {};
  const iovec part{block, sizeof block};
  while (::writev(fd, &part, 1) > 0) {
  }
}
void splice_into(int fd) {
  const Pipe source;
  source.tell(std::string(8192, 'x'));
  while (::splice(source.reader.get(), nullptr, fd, nullptr, 8192, 0) > 0) {
  }
}

class OutputPendingBy : public testing::TestWithParam<Waiter> {};

TEST_P(OutputPendingBy, IsSaid) {
  const Pipe pipe;
  pipe.fill(most_of_a_page);
  const Child waiter([&pipe] { GetParam().wait(pipe.writer.get()); });
  wait_until_asleep(waiter);
  const std::string proof = proof_within(1, pipe, ::getpid());
  if (*GetParam().proof == '\0') EXPECT_THAT(proof, IsEmpty());
  else EXPECT_THAT(proof, HasSubstr("pid " + std::to_string(waiter.pid()) + " " + GetParam().proof));
}

constexpr Waiter waiters[] = {
    {"Writev", write_a_vector, "is blocked in writev() to it"},
    {"Splice", splice_into, "is blocked in splice() to it"},
    {"Poll", wait_in_poll, "never blocks in a write, and waits for room in it (poll)"},
    {"Select", wait_in_select, "never blocks in a write, and waits for room in it (select)"},
    {"Epoll", wait_in_epoll, "never blocks in a write, and waits for room in it (epoll)"},
    {"EdgeTriggeredEpollIsNone", wait_in_epoll_for_a_change, ""}};
INSTANTIATE_TEST_SUITE_P(StdoutUnread, OutputPendingBy, testing::ValuesIn(waiters),
                         [](const auto& row) { return std::string(row.param.name); });

// Whoever passes its output on holds it back, and shows nothing of that.
TEST(StdoutUnread, ATaskThatIsBlockedInAWriteElsewhereIsTheProofOfAPipeThatStaysFull) {
  const Pipe pipe, another;
  pipe.fill(most_of_a_page);
  const Writer task(another);
  EXPECT_THAT(proof_within(more_than_patience, pipe, task.pid()),
              HasSubstr("that for 200 looks, and the task, pid " + std::to_string(task.pid()) + ", is blocked in a write"));
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
