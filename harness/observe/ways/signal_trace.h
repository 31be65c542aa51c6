#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/fd.h"

namespace forkproof::observe {

/// Where a record of the kernel's tracepoint signal:signal_generate has its fields (its `format` file), in bytes.
struct SignalFormat {
  int sig = -1, code = -1, pid = -1;
};

/// The tracepoint opened on each processor (`man 2 perf_event_open`), by who is still in the first PID namespace: its pids
/// are then that one's. For root. Passive; inherited by a fork, closed on exec.
class SignalTrace {
 public:
  /// Empty `refusal` when it is open.
  SignalTrace();
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::vector<Fd>& processors() const { return processors_; }
  [[nodiscard]] const SignalFormat& format() const { return format_; }

 private:
  void open();
  std::vector<Fd> processors_;
  SignalFormat format_;
  std::string refusal_;
};

/// One signal as it was generated; pids of the first PID namespace.
struct SignalRecord {
  Nanos at{};      ///< CLOCK_MONOTONIC
  int sender = 0;  ///< the process that was running then: the sender, where `code` says that a process sent it
  int target = 0;  ///< a thread
  int signal = 0;
  int code = 0;    ///< si_code
};

/// Reads what the trace tells, of all processors. Passive: the owner reads when one of them is readable.
class SignalReader {
 public:
  explicit SignalReader(const SignalTrace& trace);
  ~SignalReader();
  SignalReader(const SignalReader&) = delete;
  SignalReader& operator=(const SignalReader&) = delete;
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  void take(const std::function<void(const SignalRecord&)>& tell);
  /// Records that were lost because nobody read in time.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void read_record(const unsigned char* record, std::size_t size, std::vector<SignalRecord>* into);
  const SignalTrace& trace_;
  std::vector<void*> rings_;
  std::string refusal_;
  std::uint64_t lost_ = 0;
};

}  // namespace forkproof::observe
