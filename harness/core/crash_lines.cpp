#include "harness/core/crash_lines.h"

#include <fnmatch.h>

namespace forkproof {
namespace {

/// The characters before the first wildcard are compared first: output of many lines is read past each pattern.
bool fits(std::string_view pattern, const std::string& text) {
  const std::string_view plain = pattern.substr(0, pattern.find_first_of("*?["));
  if (!text.starts_with(plain)) return false;
  return ::fnmatch(std::string(pattern).c_str(), text.c_str(), 0) == 0;
}

bool fits_any(std::string_view patterns, const std::string& text) {
  while (!patterns.empty()) {
    const std::size_t end = patterns.find('|');
    if (fits(patterns.substr(0, end), text)) return true;
    patterns.remove_prefix(end == std::string_view::npos ? patterns.size() : end + 1);
  }
  return false;
}

}  // namespace

std::span<const CrashLineRow> crash_lines() {
  static constexpr CrashLineRow rows[] = {
#define FORKPROOF_CRASH_LINE(...) {__VA_ARGS__},
#include "harness/core/crash_lines.def"
#undef FORKPROOF_CRASH_LINE
  };
  return rows;
}

const CrashLineRow* find_crash_line(std::string_view key) {
  for (const CrashLineRow& row : crash_lines()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

bool opens(const CrashLineRow& row, const std::string& line) { return fits(row.opening, line); }
bool belongs_to(const CrashLineRow& row, const std::string& line) { return line.empty() || fits_any(row.belongs, line); }
bool ends(const CrashLineRow& row, const std::string& line) { return !row.last.empty() && fits(row.last, line); }

bool can_be_run_by(const CrashLineRow& row, std::string_view program) {
  // A script can print and exit as it likes: what is compiled is none of these.
  constexpr std::string_view interpreters = "sh|bash|dash|zsh|ksh|busybox|python*|pypy*|node*|perl*|ruby*|java|php*|lua*";
  const std::string name(program.substr(program.rfind('/') + 1));
  return row.programs == "*" ? !fits_any(interpreters, name) : fits_any(row.programs, name);
}

bool is_end_of(const CrashLineRow& row, WaitStatus status) {
  if (status.signalled()) return row.signal != 0 && status.signal() == row.signal;
  return row.exit_code != 0 && status.code() == row.exit_code;
}

std::string end_words(const CrashLineRow& row) {
  const std::string code = row.exit_code == 0 ? "" : "exit " + std::to_string(row.exit_code);
  const std::string signal = row.signal == 0 ? "" : signal_name(row.signal);
  return code + (code.empty() || signal.empty() ? "" : " or ") + signal;
}

}  // namespace forkproof
