#include "harness/fuzz/shrink.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "harness/fuzz/sequential.h"
#include "harness/fuzz/smaller.h"

namespace forkproof::fuzz {
namespace {

bool breaks(const run::FinishedRun& run, const std::string& oracle) {
  const auto found = run.verdicts.find(oracle);
  return found != run.verdicts.end() && found->second.outcome == Outcome::broken;
}

/// One candidate and what is known of it.
struct Candidate {
  Smaller what;
  SequentialTest test;
};

/// Looks for a candidate that is still broken, then for one that is smaller than that, until none is. Active while `run`
/// runs. The pool's tags are the candidates' numbers over all rounds, so that a run of a round that is over says nothing.
class Shrinker {
 public:
  Shrinker(const Case& one, const std::string& oracle, const Profile& base, run::RunPool& pool, const ShrinkOptions& options)
      : oracle_(oracle), base_(base), pool_(pool), options_(options), began_(monotonic_now()) {
    result_.one = one;
  }

  Shrunk run();

 private:
  [[nodiscard]] bool over() const { return pool_.interrupted() || monotonic_now() - began_ > options_.budget / 2; }
  [[nodiscard]] ShrinkEnd cut_off() const { return pool_.interrupted() ? ShrinkEnd::interrupted : ShrinkEnd::out_of_time; }
  ShrinkEnd break_at_first();
  ShrinkEnd search();
  void measure_what_is_left();
  void begin_round();
  Candidate* next_to_run();
  void start_runs();
  std::optional<std::size_t> wait_for_runs();
  void take(std::size_t index);

  const std::string& oracle_;
  const Profile& base_;
  run::RunPool& pool_;
  const ShrinkOptions& options_;
  Nanos began_;
  Shrunk result_;
  std::vector<Candidate> candidates_;
  std::vector<Case> accepted_;                  // each that took the place of the one before; the first is the case itself
  std::uint64_t first_tag_ = 0, next_tag_ = 0;  // of this round's candidates, and of the next round's
  std::set<std::string> held_;                  // steps after which it held, in whatever round
};

/// A case that does not break reliably by itself cannot tell what matters in it. `smallest` stands for: it does.
ShrinkEnd Shrinker::break_at_first() {
  candidates_.clear();
  candidates_.push_back({{"", result_.one}, {options_.at_first, options_.at_first}});
  first_tag_ = next_tag_++;
  while (!over()) {
    start_runs();
    if (wait_for_runs()) return ShrinkEnd::smallest;
    if (candidates_.front().test.decided()) return ShrinkEnd::unreliable;
  }
  return cut_off();
}

void Shrinker::begin_round() {
  candidates_.clear();
  for (Smaller& each : smaller(result_.one, base_)) {
    candidates_.push_back({std::move(each), {options_.needed, options_.tries}});
  }
  // A step that led nowhere before will hardly do so now: it comes last.
  std::stable_partition(candidates_.begin(), candidates_.end(),
                        [this](const Candidate& each) { return !held_.contains(each.what.step); });
  first_tag_ = next_tag_;
  next_tag_ += candidates_.size();
}

Candidate* Shrinker::next_to_run() {
  Candidate* first = nullptr;
  for (Candidate& each : candidates_) {
    if (!each.test.wants_run()) continue;
    if (each.test.promising()) return &each;
    if (first == nullptr) first = &each;
  }
  return first;
}

void Shrinker::start_runs() {
  while (!pool_.full() && !pool_.interrupted()) {
    Candidate* next = next_to_run();
    if (next == nullptr) return;
    next->test.started();
    pool_.start(next->what.one, first_tag_ + static_cast<std::uint64_t>(next - candidates_.data()));
    ++result_.runs;
  }
}

/// The candidate that is now known to be broken still, if one is.
std::optional<std::size_t> Shrinker::wait_for_runs() {
  std::optional<std::size_t> found;
  for (const run::FinishedRun& run : pool_.wait()) {
    if (run.tag < first_tag_ || run.tag - first_tag_ >= candidates_.size()) continue;  // of a round that is over
    const std::size_t index = run.tag - first_tag_;
    Candidate& candidate = candidates_[index];
    candidate.test.ended(breaks(run, oracle_));
    if (candidate.test.failed()) held_.insert(candidate.what.step);
    if (!candidate.test.passed() || found) continue;
    found = index;
    result_.verdict = run.verdicts.at(oracle_);
  }
  return found;
}

void Shrinker::take(std::size_t index) {
  result_.one = std::move(candidates_[index].what.one);
  accepted_.push_back(result_.one);
  begin_round();
}

ShrinkEnd Shrinker::search() {
  begin_round();
  while (!over()) {
    start_runs();
    const bool all_decided = std::all_of(candidates_.begin(), candidates_.end(),
                                         [](const Candidate& each) { return each.test.decided(); });
    if (all_decided) return ShrinkEnd::smallest;
    if (const auto found = wait_for_runs()) take(*found);
  }
  return cut_off();
}

/// Half of the steps are taken back at a time, since a step that was not reliable has made all after it so.
void Shrinker::measure_what_is_left() {
  const Nanos deadline = began_ + options_.budget;
  Reliability left = measure(result_.one, oracle_, options_.measured, pool_, deadline);
  while (left.broke < left.runs && accepted_.size() > 1 && !pool_.interrupted() && monotonic_now() < deadline) {
    accepted_.resize((accepted_.size() + 1) / 2);
    result_.one = accepted_.back();
    result_.end = ShrinkEnd::out_of_time;  // there is less, but none that can be relied on was found
    left = measure(result_.one, oracle_, options_.measured, pool_, deadline);
  }
  result_.steps = accepted_.size() - 1;
  result_.broke = left.broke, result_.measured = left.runs;
  if (left.broke > 0) result_.verdict = left.verdict;
  result_.breaks = left.breaks;
}

Shrunk Shrinker::run() {
  accepted_.push_back(result_.one);
  result_.end = break_at_first();
  if (result_.end == ShrinkEnd::smallest) result_.end = search();
  result_.took = monotonic_now() - began_;
  candidates_.clear();
  while (!pool_.idle()) (void)pool_.wait();  // what nobody needs any more
  measure_what_is_left();
  return std::move(result_);
}

}  // namespace

Shrunk shrink(const Case& one, const std::string& oracle, const Profile& base, run::RunPool& pool,
              const ShrinkOptions& options) {
  return Shrinker(one, oracle, base, pool, options).run();
}

namespace {

/// Of the first run all that broke; of each further one what is not broken again is taken away.
void keep_what_broke_again(const run::FinishedRun& run, Reliability* reliability) {
  if (reliability->runs == 0) {
    for (const auto& [oracle, verdict] : run.verdicts) reliability->breaks.insert(oracle);
  }
  std::erase_if(reliability->breaks, [&run](const std::string& oracle) { return !breaks(run, oracle); });
}

}  // namespace

Reliability measure(const Case& one, const std::string& oracle, unsigned runs, run::RunPool& pool, std::optional<Nanos> deadline) {
  Reliability reliability;
  unsigned started = 0;
  const auto goes_on = [&] { return started < runs && !pool.interrupted() && (!deadline || monotonic_now() < *deadline); };
  while (goes_on() || !pool.idle()) {
    for (; goes_on() && !pool.full(); ++started) pool.start(one, started);
    for (run::FinishedRun& run : pool.wait()) {
      keep_what_broke_again(run, &reliability);
      ++reliability.runs;
      if (!breaks(run, oracle)) continue;
      ++reliability.broke;
      reliability.verdict = run.verdicts.at(oracle);
    }
  }
  return reliability;
}

std::string_view word(ShrinkEnd end) {
  switch (end) {
    case ShrinkEnd::smallest: return "smallest";
    case ShrinkEnd::out_of_time: return "out-of-time";
    case ShrinkEnd::interrupted: return "interrupted";
    case ShrinkEnd::unreliable: return "unreliable";
  }
  return "";
}

std::string text(const Reliability& reliability) { return fmt::format("{} of {}", reliability.broke, reliability.runs); }

}  // namespace forkproof::fuzz
