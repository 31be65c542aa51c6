#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace forkproof::gtest {

/// Notes who starts whom below the test program, in a process of its own that is no child of it: by the process connector
/// where the kernel lets it listen, else by looking at /proc each millisecond. Passive for its owner; ends with it.
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
  };
  /// Who started this process. First waits, for at most a tenth of a second, until all is noted that has happened so far.
  Birth birth_of(pid_t pid);
  /// The noting process itself.
  [[nodiscard]] pid_t noting() const;

 private:
  struct Shared;
  void catch_up();
  [[noreturn]] static void note(Shared* shared, pid_t about);
  Shared* shared_ = nullptr;
};

}  // namespace forkproof::gtest
