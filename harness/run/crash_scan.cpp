#include "harness/run/crash_scan.h"

#include <algorithm>
#include <utility>

#include "harness/run/task_output.h"

namespace forkproof::run {
namespace {

constexpr std::size_t most_of_a_line = 500;

}  // namespace

void CrashScan::read(std::string_view bytes, Nanos now) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.empty()) line_began_ = now;
    line_ += part.substr(0, most_of_a_line - std::min(line_.size(), most_of_a_line));
    if (end == std::string_view::npos) return;
    line_ended(line_began_);
    bytes.remove_prefix(end + 1);
  }
}

void CrashScan::line_ended(Nanos now) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();  // a terminal's line ends
  for (const CrashLineRow& row : crash_lines()) {
    if (!opens(row, line_)) continue;
    found_ = CrashLineSeen{std::string(row.key), line_, "", now, line_before_, ""};
    open_ = &row;
    line_before_ = std::exchange(line_, "");
    return;
  }
  look_on();
  line_before_ = std::exchange(line_, "");
}

/// The line after the report, or after a part of it.
void CrashScan::look_on() {
  if (!found_ || !found_->next.empty() || line_.empty()) return;
  if (is_of_the_task(line_)) return;  // it writes beside its supervisor
  if (open_ != nullptr && belongs_to(*open_, line_)) {
    if (found_->detail.empty() || open_->last.empty()) found_->detail = line_;
    return;
  }
  if (open_ != nullptr && ends(*open_, line_)) found_->detail = line_;
  else found_->next = line_;
  open_ = nullptr;
}

std::optional<CrashLineSeen> CrashScan::found() const {
  if (!found_ || !found_->next.empty() || line_.empty()) return found_;
  CrashScan rest = *this;  // the last line may have no end
  rest.look_on();
  return rest.found_;
}

}  // namespace forkproof::run
