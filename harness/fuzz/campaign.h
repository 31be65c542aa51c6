#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/arena/tier.h"
#include "harness/core/case.h"
#include "harness/core/verdict.h"
#include "harness/fuzz/coverage.h"
#include "harness/fuzz/shrink.h"
#include "harness/fuzz/space.h"
#include "harness/run/run_pool.h"

namespace forkproof::fuzz {

/// One promise that an invented case broke.
struct Break {
  Case one;
  std::string oracle;
  Verdict verdict;
  std::uint64_t index = 0;
  Nanos found_after{};  ///< since the campaign began
};

/// What a campaign runs: case 0, 1, 2 ... of a seed, of which a shard is every `shards`-th.
struct CampaignOptions {
  std::uint64_t seed = 1;
  std::uint64_t shard = 1, shards = 1;  ///< this one, from 1: the cases with index % shards == shard - 1
  std::optional<std::uint64_t> cases;   ///< of all shards together; none: until the time is over
  std::optional<Nanos> time;            ///< real; none: until all cases are done
  unsigned jobs = 1;                    ///< arenas open at the same time
};

/// What could not be told of one case.
struct Unknown {
  std::uint64_t index = 0;
  std::string oracle, because;
};

/// What shrinking made of a break, in numbers: the case itself is in `file`.
struct ShrunkBreak {
  std::uint64_t index = 0;
  std::string oracle;
  std::size_t nodes = 0, faults = 0;
  unsigned broke = 0, measured = 0;  ///< "20 of 20"
  ShrinkEnd end = ShrinkEnd::smallest;
  std::string file;  ///< empty: nothing was saved
};

/// What came of it. A value; `cases` counts those that were run.
struct CampaignResult {
  std::string profile;
  std::vector<std::string> backends;
  bool hazards = false;
  std::uint64_t seed = 1, shard = 1, shards = 1;
  std::string plan;                         ///< a name for what this seed invents: another program may invent otherwise
  std::optional<std::uint64_t> cases_asked;  ///< of all shards together; none where the time decided
  std::uint64_t cases = 0;
  std::map<std::string, std::uint64_t> skipped;   ///< cases that this machine cannot run, by the reason
  std::map<std::string, std::vector<std::uint64_t>> skipped_cases;  ///< which these are
  std::set<std::uint64_t> unfinished;             ///< begun, and not told: some only where it was cut off
  std::map<std::string, std::uint64_t> coverage;  ///< word to cases
  double coverage_percent = 0;
  std::vector<Break> breaks;      ///< in the order of their cases
  std::vector<Unknown> unknowns;  ///< likewise
  std::vector<ShrunkBreak> shrunk;  ///< once that is done; a document that was written before has none
  std::vector<std::string> saved;   ///< paths of scenario files
  bool interrupted = false;
  std::string failure;  ///< why the harness could not go on; what was found until then stands here
  Nanos wall{};
};
/// As one JSON document, without the cases themselves: `repro fuzz --format json`, and what `repro merge` reads.
std::string to_document(const CampaignResult& result);

/// Where a campaign stands, and what it has just found.
struct Watcher {
  std::function<void(const CampaignResult& so_far)> progress = {};  ///< after each case; wall and coverage as of now
  /// At once when a case has broken anything: all that it broke, and its history. What is to survive a crash is saved here.
  std::function<void(const std::vector<Break>& broken, const History& history)> found = {};
};

/// Invents, plays and judges until all is done, the time is over, or SIGINT, SIGTERM or SIGHUP comes. Active: blocks. One
/// thread. A case that was open when the time was over is still told. Where the harness fails, `failure` says how.
CampaignResult campaign(const Space& space, const CampaignOptions& options, const arena::Provision& provision,
                        const Watcher& watcher);

}  // namespace forkproof::fuzz
