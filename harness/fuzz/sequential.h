#pragma once

namespace forkproof::fuzz {

/// Whether something breaks in `needed` of at most `tries` runs, told as early as that can be known. Passive: it is told of
/// each run that is started and of each that has ended.
class SequentialTest {
 public:
  SequentialTest(unsigned needed, unsigned tries) : needed_(needed), tries_(tries) {}

  void started() { ++started_; }
  void ended(bool broke) { ++(broke ? broke_ : held_); }

  [[nodiscard]] bool passed() const { return broke_ >= needed_; }
  [[nodiscard]] bool failed() const { return held_ + needed_ > tries_; }
  [[nodiscard]] bool decided() const { return passed() || failed(); }
  [[nodiscard]] bool promising() const { return broke_ > 0 && !decided(); }
  /// Whether another run could tell something: one at a time until the first has broken, since most candidates hold; then
  /// as many as are needed at the least.
  [[nodiscard]] bool wants_run() const {
    if (decided()) return false;
    const unsigned under_way = started_ - broke_ - held_;
    return broke_ == 0 ? under_way == 0 : broke_ + under_way < needed_;
  }

 private:
  unsigned needed_, tries_;
  unsigned started_ = 0, broke_ = 0, held_ = 0;
};

}  // namespace forkproof::fuzz
