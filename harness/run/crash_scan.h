#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "harness/core/crash_lines.h"
#include "harness/core/event.h"

namespace forkproof::run {

/// Reads a command's output line by line for what a runtime prints of an uncaught exception, and keeps the last such report.
/// Who printed it cannot be told from a pipe, so it is no more than that a report was printed. Passive.
class CrashScan {
 public:
  void read(std::string_view bytes, Nanos now);
  /// The last report; its times are those given to `read`. Nothing where there was none.
  [[nodiscard]] std::optional<CrashLineSeen> found() const;

 private:
  void line_ended(Nanos now);
  void look_on();

  std::string line_;  // as far as it has come, and no more than is looked at
  std::string line_before_;
  Nanos line_began_{};
  std::optional<CrashLineSeen> found_;
  const CrashLineRow* open_ = nullptr;  // whose report the next line can belong to
};

}  // namespace forkproof::run
