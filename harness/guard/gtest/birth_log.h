#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace forkproof::gtest {

/// Notes who starts whom below the test program, in a process of its own that is no child of it: by the process connector
/// where the kernel lets it listen, else by looking at /proc each millisecond. What libc's fork() starts notes itself besides,
/// until it execs. One a program. Passive for its owner; ends with it.
class BirthLog {
 public:
  /// Starts the noting process. For a program that is not yet a subreaper, or that process would become its child.
  BirthLog();
  ~BirthLog();
  BirthLog(const BirthLog&) = delete;
  BirthLog& operator=(const BirthLog&) = delete;

  struct Birth {
    pid_t starter = 0;         ///< 0: nobody saw it
    std::string starter_name;
    bool certain = false;      ///< false: this one or, since it may have been an orphan by then, one of its children
  };
  /// Who started this process. First waits, for at most two seconds, until all is noted that has happened so far.
  Birth birth_of(pid_t pid);
  /// How often births are known to have been lost: the connector's queue ran over, or the noting process did not answer.
  [[nodiscard]] std::uint32_t times_lost() const;

  struct Shared;  ///< of the file

 private:
  void catch_up();
  [[noreturn]] static void note(Shared* shared, pid_t about);
  Shared* shared_ = nullptr;
  std::uint32_t times_silent_ = 0;
};

}  // namespace forkproof::gtest
