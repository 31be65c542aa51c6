#pragma once
#include <string>

#include "harness/core/duration.h"
#include "harness/run/runner.h"

namespace forkproof {

/// One line on a terminal's standard error, rewritten ten times a second; elsewhere a line each ten seconds, so that a
/// log shows that the work goes on. Passive.
class ProgressLine {
 public:
  ProgressLine();
  void operator()(const run::Progress& progress);
  /// The same with words of one's own.
  void say(const std::string& what);
  /// Whether it is time for the next line: for words that take work to find.
  [[nodiscard]] bool due() const;
  /// Takes the line away, so that a report can stand there.
  void clear() const;

 private:
  bool terminal_;
  bool wrote_ = false;
  Nanos began_, shown_;
};

}  // namespace forkproof
