#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace forkproof::faults {

/// One kind of lock that a thread can hold while another forks. `hold` and `touch` run in the subject's and the task's
/// process; in a child that did not exec they see the same object.
class Lock {
 public:
  virtual ~Lock() = default;
  /// A thread of this process is made to hold the lock for good. Returns how it is known that it does; throws
  /// HarnessFailure when that cannot be proved. What it starts lives as long as the process.
  virtual std::string hold() = 0;
  /// Uses the lock as a program would.
  virtual void touch() = 0;
};

/// One row of locks.def.
struct LockRow {
  std::string_view key;
  std::string_view about;
  std::unique_ptr<Lock> (*make)();
};
std::span<const LockRow> locks();
const LockRow* find_lock(std::string_view key);

}  // namespace forkproof::faults
