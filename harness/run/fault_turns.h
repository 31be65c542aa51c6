#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/duration.h"
#include "harness/faults/fault.h"

namespace forkproof::run {

/// The case's faults, each with the name under which it speaks. Passive: whoever has something to show shows it to each
/// in turn, and while it is its turn knows which one speaks and of when.
class FaultTurns {
 public:
  FaultTurns(const Case& one, std::vector<std::unique_ptr<faults::Fault>>& faults) : one_(one), faults_(faults) {}

  template <class Act>
  void each(Nanos when, const Act& act) {
    for (std::size_t i = 0; i < faults_.size(); ++i) only(i, when, act);
  }
  /// The turn of number `index` alone.
  template <class Act>
  void only(std::size_t index, Nanos when, const Act& act) {
    const std::string outer_speaker = std::exchange(speaker_, one_.faults[index].fault);
    const std::size_t outer_number = std::exchange(number_, index);
    const Nanos outer_time = std::exchange(when_, when);
    act(*faults_[index]);
    speaker_ = outer_speaker, number_ = outer_number, when_ = outer_time;
  }
  /// Whose turn it is, by its name in the case; empty between turns.
  [[nodiscard]] const std::string& speaker() const { return speaker_; }
  /// The number of that fault in the case.
  [[nodiscard]] std::size_t number() const { return number_; }
  /// When what it sees has happened; 0 between turns.
  [[nodiscard]] Nanos when() const { return when_; }

 private:
  const Case& one_;
  std::vector<std::unique_ptr<faults::Fault>>& faults_;
  std::string speaker_;
  std::size_t number_ = 0;
  Nanos when_{};
};

}  // namespace forkproof::run
