#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace forkproof {

/// What became of one promise. In the order of badness: the worse of two is the greater.
enum class Outcome {
  held,     ///< it was watched, and it was kept
  skipped,  ///< it does not apply to this subject, or nothing was promised
  unknown,  ///< it could not be told; never green
  broken,   ///< it was broken, and the evidence shows it
};

std::string_view name(Outcome outcome);

/// One promise judged: the outcome, one sentence that says why, and the events that show it (indices into the
/// history).
struct Verdict {
  Outcome outcome = Outcome::unknown;
  std::string because;
  std::vector<std::size_t> evidence;
};

inline Verdict held(std::string because, std::vector<std::size_t> evidence = {}) {
  return {Outcome::held, std::move(because), std::move(evidence)};
}
inline Verdict skipped(std::string because) { return {Outcome::skipped, std::move(because), {}}; }
inline Verdict unknown(std::string because, std::vector<std::size_t> evidence = {}) {
  return {Outcome::unknown, std::move(because), std::move(evidence)};
}
inline Verdict broken(std::string because, std::vector<std::size_t> evidence) {
  return {Outcome::broken, std::move(because), std::move(evidence)};
}

}  // namespace forkproof
