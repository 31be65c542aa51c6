#include "repro/progress.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/printable.h"

namespace forkproof {

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), began_(monotonic_now()), shown_(began_) {}

bool ProgressLine::due() const {
  return monotonic_now() - shown_ >= (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10));
}

void ProgressLine::operator()(const run::Progress& progress) {
  const double rate = static_cast<double>(progress.done) / std::max(in_seconds(monotonic_now() - began_), 1e-3);
  const Case& one = progress.cell->one;
  say(fmt::format("{} of {} runs, {:.0f} a second, {} not as expected; {} {} / {}", progress.done, progress.total, rate,
                  progress.not_as_expected, one.scenario, one.profile_name(), one.backend_name()));
}

void ProgressLine::say(const std::string& what) {
  if (!due()) return;
  shown_ = monotonic_now();
  std::string line = printable(what);  // a scenario's name may be anybody's
  std::replace(line.begin(), line.end(), '\n', '?');
  if (terminal_) fmt::print(stderr, "\r{:<79.79}", line);
  else fmt::print(stderr, "repro: {}\n", line);
  wrote_ = true;
}

void ProgressLine::clear() const {
  if (terminal_ && wrote_) fmt::print(stderr, "\r{:<79}\r", "");
}

}  // namespace forkproof
