#pragma once
#include <span>
#include <string>
#include <string_view>

#include "harness/core/wait_status.h"

namespace forkproof {

/// One row of crash_lines.def: how a runtime tells of an uncaught exception, and how it ends the process then.
struct CrashLineRow {
  std::string_view key;
  std::string_view opening;
  std::string_view belongs;
  std::string_view last;
  std::string_view programs;
  int exit_code;
  int signal;
  std::string_view tried;
};
std::span<const CrashLineRow> crash_lines();
/// Null: there is no such row.
const CrashLineRow* find_crash_line(std::string_view key);

/// Whether a line opens such a report, belongs to one that is open, or is the last of it.
bool opens(const CrashLineRow& row, const std::string& line);
bool belongs_to(const CrashLineRow& row, const std::string& line);
bool ends(const CrashLineRow& row, const std::string& line);
/// Whether a program, by its path or file name, can be one of this runtime's.
bool can_be_run_by(const CrashLineRow& row, std::string_view program);
/// Whether the runtime ends a process so.
bool is_end_of(const CrashLineRow& row, WaitStatus status);
/// "exit 101 or SIGABRT".
std::string end_words(const CrashLineRow& row);

}  // namespace forkproof
