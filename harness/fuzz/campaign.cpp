#include "harness/fuzz/campaign.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/fuzz/invent.h"
#include "harness/run/identity.h"

namespace forkproof::fuzz {
namespace {

/// By the first cases that are invented: what a seed means is decided by the tables and the scenarios of a build, and by
/// its code. Two programs that agree in these may be taken for one.
std::string plan_of(const Space& space, std::uint64_t seed) {
  constexpr std::uint64_t enough = 16;
  std::string invented;
  for (std::uint64_t index = 0; index < enough; ++index) invented += forkproof::to_document(invent(space, seed, index)) + "\n";
  return run::plan_id(invented);
}

class Campaign {
 public:
  Campaign(const Space& space, const CampaignOptions& options, const arena::Provision& provision, const Watcher& watcher)
      : space_(space),
        options_(options),
        provision_(provision),
        watcher_(watcher),
        pool_(provision, options.jobs),
        coverage_(space),
        next_(options.shard - 1),
        began_(monotonic_now()) {
    result_.plan = plan_of(space, options.seed);
    if (!options.time) result_.cases_asked = options.cases;
  }

  CampaignResult run();

 private:
  [[nodiscard]] bool may_start() const;
  void start_next();
  void take(const run::FinishedRun& finished);

  const Space& space_;
  const CampaignOptions& options_;
  const arena::Provision& provision_;
  const Watcher& watcher_;
  run::RunPool pool_;
  Coverage coverage_;
  std::uint64_t next_;
  Nanos began_;
  CampaignResult result_;
};

bool Campaign::may_start() const {
  if (pool_.interrupted() || pool_.full()) return false;
  if (options_.cases && next_ >= *options_.cases) return false;
  return !options_.time || monotonic_now() - began_ < *options_.time;
}

void Campaign::start_next() {
  const std::uint64_t index = next_;
  next_ += options_.shards;
  Case one = invent(space_, options_.seed, index);
  if (const auto obstacle = run::obstacle_to(one, provision_)) {
    ++result_.skipped[obstacle->note];
    result_.skipped_cases[obstacle->note].push_back(index);
    return;
  }
  result_.unfinished.insert(index);
  pool_.start(std::move(one), index);
}

void Campaign::take(const run::FinishedRun& finished) {
  ++result_.cases;
  result_.unfinished.erase(finished.tag);
  coverage_.add(finished.one);
  std::vector<Break> broken;
  for (const auto& [oracle, verdict] : finished.verdicts) {
    if (verdict.outcome == Outcome::unknown) result_.unknowns.push_back({finished.tag, oracle, verdict.because});
    if (verdict.outcome != Outcome::broken) continue;
    broken.push_back({finished.one, oracle, verdict, finished.tag, monotonic_now() - began_});
  }
  result_.breaks.insert(result_.breaks.end(), broken.begin(), broken.end());
  if (!broken.empty() && watcher_.found) watcher_.found(broken, finished.history);
  result_.wall = monotonic_now() - began_;
  result_.coverage_percent = coverage_.percent();
  if (watcher_.progress) watcher_.progress(result_);
}

CampaignResult Campaign::run() {
  result_.profile = space_.profile.name, result_.backends = space_.backends, result_.hazards = space_.hazards;
  result_.seed = options_.seed, result_.shard = options_.shard, result_.shards = options_.shards;
  try {
    while (may_start() || !pool_.idle()) {
      while (may_start()) start_next();
      if (pool_.idle()) break;
      for (const run::FinishedRun& finished : pool_.wait()) take(finished);
    }
  } catch (const HarnessFailure& failure) {  // hours of what was found are not to be lost by it
    result_.failure = failure.what();
  }
  const auto by_index = [](const auto& left, const auto& right) { return left.index < right.index; };
  std::stable_sort(result_.breaks.begin(), result_.breaks.end(), by_index);
  std::stable_sort(result_.unknowns.begin(), result_.unknowns.end(), by_index);
  result_.coverage = coverage_.words();
  result_.coverage_percent = coverage_.percent();
  result_.interrupted = pool_.interrupted();
  result_.wall = monotonic_now() - began_;
  return std::move(result_);
}

}  // namespace

CampaignResult campaign(const Space& space, const CampaignOptions& options, const arena::Provision& provision,
                        const Watcher& watcher) {
  return Campaign(space, options, provision, watcher).run();
}

std::string to_document(const CampaignResult& result) {
  using Json = nlohmann::ordered_json;
  Json document{{"kind", "fuzz"}, {"profile", result.profile}, {"backends", result.backends}, {"hazards", result.hazards},
                {"seed", result.seed}, {"version", FORKPROOF_VERSION}, {"plan", result.plan}, {"shard", result.shard},
                {"shards", result.shards}, {"cases_asked", nullptr}, {"cases", result.cases}};
  if (result.cases_asked) document["cases_asked"] = *result.cases_asked;
  document["skipped"] = result.skipped;
  // Which cases were run: those of the shard in their order, but for these.
  document["skipped_cases"] = result.skipped_cases;
  document["unfinished"] = result.unfinished;
  document["coverage"] = result.coverage;
  document["breaks"] = Json::array();
  for (const Break& each : result.breaks) {
    document["breaks"].push_back({{"case", each.index}, {"oracle", each.oracle}, {"backend", each.one.backend_name()},
                                  {"because", each.verdict.because}, {"found_after_ms", each.found_after.count() / 1'000'000}});
  }
  document["unknowns"] = Json::array();
  for (const Unknown& each : result.unknowns) {
    document["unknowns"].push_back({{"case", each.index}, {"oracle", each.oracle}, {"because", each.because}});
  }
  document["shrunk"] = Json::array();
  for (const ShrunkBreak& each : result.shrunk) {
    document["shrunk"].push_back({{"case", each.index}, {"oracle", each.oracle}, {"nodes", each.nodes}, {"faults", each.faults},
                                  {"broke", each.broke}, {"runs", each.measured}, {"ended", word(each.end)}, {"file", each.file}});
  }
  document["saved"] = result.saved;
  document["interrupted"] = result.interrupted;
  if (!result.failure.empty()) document["failure"] = result.failure;
  document["wall_ms"] = result.wall.count() / 1'000'000;
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace forkproof::fuzz
