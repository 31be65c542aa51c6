#include "repro/finds.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/fuzz/found.h"
#include "harness/scenario/scenario_writer.h"
#include "reports/layout.h"
#include "reports/names.h"

namespace forkproof {
namespace {

constexpr std::uint64_t most_saved = 5;  // cases, of each promise
constexpr std::size_t most_tried = 3;    // cases of one promise, where the first ones do not break each time

std::string sizes_of(const fuzz::ShrunkBreak& small) {
  return reports::counted(small.nodes, "process", "processes") + " and " + reports::counted(small.faults, "fault", "faults");
}

std::string how_it_ended(fuzz::ShrinkEnd end) {
  switch (end) {
    case fuzz::ShrinkEnd::smallest: return "";
    case fuzz::ShrinkEnd::out_of_time: return "; there may be less: the time for it was over";
    case fuzz::ShrinkEnd::interrupted: return "; there may be less: it was interrupted";
    case fuzz::ShrinkEnd::unreliable: return "";
  }
  return "";
}

std::string sentence_of(const fuzz::ShrunkBreak& small) {
  const std::string what = fmt::format("{} (case {}): ", small.oracle, small.index);
  if (small.end == fuzz::ShrinkEnd::unreliable) {
    return what + fmt::format("not shrunk, since it breaks in {} of {} runs of the case", small.broke, small.measured);
  }
  if (small.measured == 0) return what + "not shrunk" + (small.end == fuzz::ShrinkEnd::interrupted ? ": interrupted" : ": the time for it was over");
  return what + fmt::format("shrunk to {}, broken in {} of {} runs{}", sizes_of(small), small.broke, small.measured, how_it_ended(small.end));
}

}  // namespace

std::vector<std::string> AskedSpace::words(std::uint64_t index) const {
  std::vector<std::string> words{"repro fuzz"};
  if (profile != "exemplary") words.push_back("--profile " + profile);
  if (!backends.empty()) words.push_back(fmt::format("--backend {}", fmt::join(backends, ",")));
  if (hazards) words.emplace_back("--hazards");
  words.push_back(fmt::format("--seed {}", seed));
  words.push_back(fmt::format("--replay {}", index));
  return words;
}

std::string AskedSpace::file_name(std::uint64_t index) const {
  std::string name = profile;
  if (!backends.empty()) name += fmt::format("-{}", fmt::join(backends, "+"));
  if (hazards) name += "-hazards";
  return name + fmt::format("-{}-{}", seed, index);
}

Finds::Finds(std::string folder, AskedSpace asked, const fuzz::Space& space)
    : folder_(std::move(folder)), asked_(std::move(asked)), space_(space) {}

void Finds::save(const std::vector<fuzz::Break>& broken) {
  bool wanted = false;
  std::set<std::string> oracles;
  for (const fuzz::Break& each : broken) {
    wanted |= cases_[each.oracle]++ < most_saved;
    oracles.insert(each.oracle);
  }
  if (wanted) keep(broken.front().one, broken.front().index, oracles, {}, "");
}

void Finds::shrink(const std::vector<fuzz::Break>& broken, const arena::Provision& provision, unsigned jobs, Nanos budget) {
  const Nanos deadline = monotonic_now() + budget;
  run::RunPool pool(provision, jobs);
  std::map<std::string, std::vector<const fuzz::Break*>> by_promise;
  for (const fuzz::Break& each : broken) by_promise[each.oracle].push_back(&each);
  std::size_t left = by_promise.size();
  for (auto& [oracle, cases] : by_promise) {
    std::stable_sort(cases.begin(), cases.end(), [](const auto* a, const auto* b) {
      return count_nodes(a->one.tree) + a->one.faults.size() < count_nodes(b->one.tree) + b->one.faults.size();
    });
    cases.resize(std::min(cases.size(), most_tried));
    // What one promise does not need is the others'.
    const Nanos until = monotonic_now() + (deadline - monotonic_now()) / static_cast<Nanos::rep>(left--);
    const auto done = [&](const fuzz::Break* each) { return shrink_one(*each, pool, until - monotonic_now()); };
    (void)std::any_of(cases.begin(), cases.end(), done);
    if (pool.interrupted()) return;
  }
}

/// Whether there is no use in trying another case of that promise.
bool Finds::shrink_one(const fuzz::Break& each, run::RunPool& pool, Nanos budget) {
  fuzz::ShrinkOptions options;
  options.budget = std::max(budget, Nanos{});
  const fuzz::Shrunk small = fuzz::shrink(each.one, each.oracle, space_.profile, pool, options);
  fuzz::ShrunkBreak told{each.index, each.oracle, count_nodes(small.one.tree), small.one.faults.size(), small.broke, small.measured, small.end, ""};
  const bool reliable = small.end != fuzz::ShrinkEnd::unreliable && small.measured > 0;
  if (reliable) {
    std::set<std::string> breaks = small.breaks;  // what else breaks in every run is expected as well
    if (small.broke == small.measured) breaks.insert(each.oracle);
    std::vector<std::string> notes{fmt::format("Shrunk in {} steps; {} breaks in {} of {} runs of it.", small.steps, each.oracle, small.broke, small.measured)};
    if (breaks.empty()) notes.emplace_back("No expectation stands here, since none would come true each time.");
    told.file = keep(small.one, each.index, breaks, notes, "-" + each.oracle);
  }
  shrunk_.push_back(told);
  return reliable || pool.interrupted() || small.end != fuzz::ShrinkEnd::unreliable;
}

std::string Finds::keep(const Case& one, std::uint64_t index, std::set<std::string> breaks, std::vector<std::string> notes, const std::string& suffix) {
  const std::string source = fmt::format("fuzz, seed {}, case {}: {}", asked_.seed, index, fmt::join(asked_.words(index), " "));
  const std::string text = scenario::write_scenario(one, {source, std::move(breaks), std::move(notes)});
  try {
    saved_.push_back(fuzz::save_found(folder_, asked_.file_name(index) + suffix, text));
    return saved_.back();
  } catch (const HarnessFailure& error) {
    complain(fmt::format("{}; what was found is:", error.what()));
    fmt::print(stderr, "{}", text);
    return {};
  }
}

std::string Finds::text() const {
  std::string text;
  for (const fuzz::ShrunkBreak& each : shrunk_) text += reports::wrapped("  ", sentence_of(each), 4);
  if (!saved_.empty()) text += reports::wrapped("  saved: ", fmt::format("{} below {}", reports::counted(saved_.size(), "file", "files"), reports::printable(folder_)), 4);
  return text;
}

}  // namespace forkproof
