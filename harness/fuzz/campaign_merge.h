#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace forkproof::fuzz {

/// What came of merging the documents of `repro fuzz --format json`.
struct MergedCampaigns {
  std::string document;            ///< of the same format, with "gaps" and "parts" beside; can be merged again
  std::string text;                ///< for people
  std::uint64_t cases = 0, breaks = 0, unknowns = 0;
  bool interrupted = false;
  std::vector<std::string> gaps;   ///< shards that are missing, or that came out differently when they were run again
};

/// Whether a document is one of `repro fuzz`, or merged from such.
bool is_campaign(const std::string& document);

/// A pure function of the set of documents: the order counts for nothing, the same one twice counts once, and what was
/// merged before stands for its parts. A campaign is its profile, backends, hazards and seed; the cases of a shard are the
/// same on every machine, so a shard that was run twice counts its cases once, and must break the same promises.
/// BadInput, without the file's name, for a document that is none.
MergedCampaigns merge_campaigns(const std::vector<std::string>& documents);

}  // namespace forkproof::fuzz
