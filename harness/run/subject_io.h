#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "harness/arena/warden.h"
#include "harness/core/event.h"
#include "harness/core/fd.h"
#include "harness/faults/fault.h"
#include "harness/run/crash_scan.h"
#include "harness/run/task_output.h"

namespace forkproof::run {

/// The two ends of what the subject has as its stdio, and of the channel on which it says that it could not be started.
/// A command's output is read as it comes, counted, looked through, and the last of it kept: however much that is, it costs
/// one block of memory. Its stdout and stderr are one pipe, as in `CMD 2>&1`: so their lines keep their order, and a second
/// pipe would not tell who wrote (the task has them as well). The rig's end of a terminal stays open until close_terminal or
/// the end of the run: that the subject has closed its own end is no hang-up. Passive; owned by the player, and inherited by
/// the fork that becomes the subject.
class SubjectIo {
 public:
  /// How much of a command's output is kept.
  static constexpr std::size_t tail_size = 4096;

  /// Opens what the case needs. Throws HarnessFailure.
  SubjectIo(const Case& one, const faults::Stage& stage);

  /// In the subject: stdin, stdout and stderr are in place afterwards, and it leads a session. Throws HarnessFailure.
  void take_subjects_ends();
  /// In the subject: a descriptor for the fault number `fault`, or the step that failed.
  void pass_on(std::size_t fault, int fd) const;
  void complain_of(const std::string& step, int error) const;

  /// What the subject's process said before it became the subject.
  struct Told {
    std::function<void(std::size_t fault, Fd)> passed_on;
    std::function<void(CommandNotStarted)> not_started;
    std::function<void(std::uint64_t bytes)> task_output;  ///< the first of it has come out
  };
  /// In the warden: lets go of the subject's ends, and reads from the own ones.
  void watch(arena::Warden& warden, Told told);
  /// Reads what is there now: before the subject's end is told, and at the end of the run.
  void read_now();

  [[nodiscard]] int terminal() const { return terminal_.get(); }
  [[nodiscard]] int stdout_reader() const { return stdout_reader_.get(); }
  void close_terminal();
  void close_stdout() { stdout_reader_.reset(); }
  [[nodiscard]] CommandOutput output() const { return {bytes_, tail_}; }
  /// What came out of a command's stdout of the tree's own output; nothing where nobody writes, or that is not read here.
  [[nodiscard]] std::optional<std::uint64_t> task_output() const;
  /// What a runtime said of an uncaught exception; its time is CLOCK_MONOTONIC.
  [[nodiscard]] std::optional<CrashLineSeen> crash_line() const { return crash_scan_.found(); }

 private:
  void open_terminal();
  bool hear();
  bool drain(Fd& from);
  bool read_block(int fd);
  void read_terminal();
  void rest_until_opened();
  void forget(Fd& fd);

  Fd output_reader_, output_writer_;
  Fd stdout_reader_, stdout_writer_;
  Fd terminal_, terminal_slave_;
  Fd report_, report_writer_;
  bool terminal_watched_ = false;  // by the warden's epoll
  arena::Warden* warden_ = nullptr;
  Told told_;
  std::uint64_t bytes_ = 0;
  std::string tail_;
  bool has_task_output_ = false;
  TaskOutputMeter task_output_;
  CrashScan crash_scan_;
};

}  // namespace forkproof::run
