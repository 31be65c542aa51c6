#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/event.h"
#include "harness/core/fd.h"
#include "harness/core/line_chain.h"

namespace forkproof {

/// All that was seen in a run, in order. Passive; a value.
class History {
 public:
  void append(Event event) { events_.push_back(std::move(event)); }
  [[nodiscard]] std::span<const Event> events() const { return events_; }
  [[nodiscard]] const Event& operator[](std::size_t index) const { return events_[index]; }
  [[nodiscard]] std::size_t size() const { return events_.size(); }
  /// Lines that could not be read back: a history with any is damaged, and judged so.
  std::size_t unreadable_lines = 0;
  /// What shows that the file is not as it was written, in one clause; empty where nothing does, or where there was no file.
  std::string damage;

 private:
  friend const Case& case_of(const History& history);
  std::vector<Event> events_;
  mutable std::shared_ptr<const Case> case_;  // read when first asked for: every oracle asks
};

/// One event as one line of JSON, newline included; and back. Reading throws std::runtime_error on a bad line.
std::string to_line(const Event& event);
Event from_line(std::string_view line);
/// The happening alone, as an announcing process sends it (the warden adds the time).
std::string to_document(const Happening& what);
Happening happening_from(std::string_view document);

/// The case as one JSON document, and back. Lossless.
std::string to_document(const Case& one);
Case case_from(std::string_view document);
/// The case that a history opens with; throws std::runtime_error when there is none.
const Case& case_of(const History& history);

/// The events as HistoryWriter writes them to a file: a line each, sealed one after the other.
std::string to_sealed_lines(std::span<const Event> events);

/// Reads JSON lines in order of time; the file is in the order in which they were written. A line without the sum that
/// belongs there, as LineChain has it, is `damage`; so are an empty line and a last line without its newline.
History read_history(std::string_view lines);
History read_history(const Fd& file);

/// Appends events to a file as they happen, one write(2) a line, so that a crash loses nothing already seen and
/// several processes can share the file (O_APPEND). Passive; each process of the harness holds its own. A process that
/// goes on where another has stopped takes over its chain. Two that write in turn break each other's: such a history
/// can be read, and not judged.
class HistoryWriter {
 public:
  /// `file` must be open for appending and outlive the writer; `origin` is the run's beginning; `chain` has sealed all
  /// that the file holds.
  HistoryWriter(int file, Nanos origin, LineChain chain = {}) : file_(file), origin_(origin), chain_(chain) {}
  void append(Happening what) { append_at(monotonic_now(), std::move(what)); }
  /// `when`: CLOCK_MONOTONIC.
  void append_at(Nanos when, Happening what);
  /// How many were appended by this writer.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The errno of the first write that failed, 0 when all went well. A history with a failed write is not whole.
  [[nodiscard]] int failure() const { return failure_; }
  [[nodiscard]] const LineChain& chain() const { return chain_; }

 private:
  int file_;
  Nanos origin_;
  LineChain chain_;
  int failure_ = 0;
  std::uint64_t count_ = 0;
};

/// An anonymous file for a history: nothing in any file system, gone with its last holder.
Fd anonymous_file(const char* name);

}  // namespace forkproof
