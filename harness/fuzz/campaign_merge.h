#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace forkproof::fuzz {

/// What came of merging the documents of `repro fuzz --format json`.
struct MergedCampaigns {
  std::string document;            ///< of the same format, with "gaps" and "parts" beside; can be merged again
  std::string text;                ///< for people
  std::uint64_t cases = 0, breaks = 0;
  std::uint64_t unknowns = 0;      ///< cases of which something could not be told
  bool interrupted = false;
  std::vector<std::string> gaps;   ///< cases that were to be run and were by nobody, or that came out differently in two runs
};

/// Whether a document is one of `repro fuzz`, or merged from such.
bool is_campaign(const std::string& document);

/// A pure function of the set of documents: the order counts for nothing, the same one twice counts once, and what was
/// merged before stands for its parts. A campaign is its profile, backends, hazards and seed, and what the program invents
/// of them: one list of cases, the same on every machine. Each document says which of them it has run, however the list
/// was cut into shards; so a case counts once, and has to break the same promises wherever it was run.
/// BadInput, without the file's name, for a document that is none.
MergedCampaigns merge_campaigns(const std::vector<std::string>& documents);

}  // namespace forkproof::fuzz
