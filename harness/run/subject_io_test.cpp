// The two ends of a subject's stdio, with a forked child in the subject's place.
#include "harness/run/subject_io.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "harness/core/child_for_test.h"

namespace forkproof::run {
namespace {

using testing::EndsWith;

Case command_case() {
  Case one;
  one.subject = Command{{"some"}};
  return one;
}

/// Runs `body` in the subject's place, and the warden's loop until that has ended and been heard.
class IoStage {
 public:
  explicit IoStage(const faults::Stage& stage = {}) : io(command_case(), stage) {}

  template <class Body>
  void run(Body body) {
    arena::Warden warden;  // before the fork: a child that ends at once is told by a signal that it has to be there for
    if (::fork() == 0) {
      body(io);
      ::_exit(0);
    }
    warden.on_reaped([&](Pid, WaitStatus ended) {
      status = ended.raw();
      io.read_now();
      warden.stop();
    });
    io.watch(warden, {[this](std::size_t fault, Fd fd) { passed.emplace_back(fault, std::move(fd)); },
                      [this](CommandNotStarted failed) { failures.push_back(std::move(failed)); }});
    if (before_loop) before_loop(warden);
    warden.run();
  }

  std::function<void(arena::Warden&)> before_loop;
  int status = -1;

  SubjectIo io;
  std::vector<std::pair<std::size_t, Fd>> passed;
  std::vector<CommandNotStarted> failures;
};

void write_all(int fd, const std::string& text) {
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(SubjectIo, KeepsTheLastOfWhatIsPrintedAndCountsAll) {
  IoStage stage;
  stage.run([](SubjectIo& io) {
    io.take_subjects_ends();
    const std::string block(1'000'000, 'x');
    for (int i = 0; i < 10; ++i) write_all(STDOUT_FILENO, block);
    write_all(STDERR_FILENO, "the last words");
  });
  EXPECT_EQ(stage.io.output().bytes, 10'000'014U);
  EXPECT_EQ(stage.io.output().tail.size(), SubjectIo::tail_size);
  EXPECT_THAT(stage.io.output().tail, EndsWith("xxxthe last words"));
}

TEST(SubjectIo, AStdoutOfItsOwnIsNotRead) {
  faults::Stage apart;
  apart.own_stdout = true;
  IoStage stage(apart);
  stage.run([](SubjectIo& io) {
    io.take_subjects_ends();
    write_all(STDOUT_FILENO, "unread");
    write_all(STDERR_FILENO, "read");
  });
  EXPECT_EQ(stage.io.output().tail, "read");
  char block[16];
  EXPECT_EQ(::read(stage.io.stdout_reader(), block, sizeof block), 6);
}

TEST(SubjectIo, ATerminalIsTheSubjectsControllingTerminal) {
  faults::Stage with;
  with.terminal = true;
  IoStage stage(with);
  stage.run([](SubjectIo& io) {
    io.take_subjects_ends();
    const bool controls = ::isatty(0) == 1 && ::tcgetpgrp(0) == ::getpid();
    write_all(STDOUT_FILENO, controls ? "a terminal" : "no terminal");
  });
  EXPECT_EQ(stage.io.output().tail, "a terminal");
}

/// A child that has let go of its terminal, and goes on when the rig has met the EIO.
class LetsGoOfItsTerminal : public testing::Test {
 protected:
  LetsGoOfItsTerminal() { with.terminal = true; }
  template <class Body, class Meanwhile>
  void run(Body body, Meanwhile meanwhile) {
    stage.emplace(with);
    stage->before_loop = [this, meanwhile](arena::Warden& warden) {
      warden.watch(closed.reader.get(), [this, &warden, meanwhile] {
        warden.unwatch(closed.reader.get());
        warden.call_at(monotonic_now() + std::chrono::milliseconds(20), [this, meanwhile] {
          meanwhile(stage->io);
          go.tell("x");
        });
      });
    };
    stage->run([this, body](SubjectIo& io) {
      io.take_subjects_ends();
      const std::string name = ::ttyname(0);
      for (int fd = 0; fd < 64; ++fd) {
        if (fd != closed.writer.get() && fd != go.reader.get()) ::close(fd);
      }
      body(name, closed, go);
    });
  }
  faults::Stage with;
  Pipe closed, go;
  std::optional<IoStage> stage;
};

TEST_F(LetsGoOfItsTerminal, AndCanOpenItAgain) {
  run(
      [](const std::string& name, const Pipe& closed, const Pipe& go) {
        closed.tell("x");
        go.wait();
        write_all(::open(name.c_str(), O_RDWR | O_NOCTTY), "again");
      },
      [](SubjectIo& io) { EXPECT_GE(io.terminal(), 0); });
  EXPECT_EQ(stage->io.output().tail, "again");
}

/// Ends with the number of the signal that comes.
void end_by_a_signal(const std::string&, const Pipe& closed, const Pipe&) {
  for (const int signal : {SIGINT, SIGHUP}) ::signal(signal, [](int number) { ::_exit(number); });
  closed.tell("x");
  for (;;) ::pause();
}

TEST_F(LetsGoOfItsTerminal, AndItsKeysStillSignalIt) {
  run(end_by_a_signal, [](SubjectIo& io) { EXPECT_EQ(::write(io.terminal(), "\003", 1), 1); });
  EXPECT_EQ(WEXITSTATUS(stage->status), SIGINT);
}

TEST_F(LetsGoOfItsTerminal, AndAHangUpStillSignalsIt) {
  run(end_by_a_signal, [](SubjectIo& io) { io.close_terminal(); });
  EXPECT_EQ(WEXITSTATUS(stage->status), SIGHUP);
}

TEST(SubjectIo, WhatCouldNotBeStartedIsTold) {
  IoStage stage;
  stage.run([](SubjectIo& io) { io.complain_of("exec /no/such", ENOENT); });
  ASSERT_EQ(stage.failures.size(), 1U);
  EXPECT_EQ(stage.failures[0].what, "exec /no/such");
  EXPECT_EQ(stage.failures[0].error, ENOENT);
}

TEST(SubjectIo, ADescriptorIsPassedOnToTheWarden) {
  IoStage stage;
  stage.run([](SubjectIo& io) {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(1);
    write_all(ends[1], "through");
    io.pass_on(3, ends[0]);
  });
  ASSERT_EQ(stage.passed.size(), 1U);
  EXPECT_EQ(stage.passed[0].first, 3U);
  char block[16];
  EXPECT_EQ(::read(stage.passed[0].second.get(), block, sizeof block), 7);
}

}  // namespace
}  // namespace forkproof::run
