#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/case.h"

namespace forkproof {

/// One setting that a fault's table in a scenario may have.
struct Setting {
  std::string_view key;
  bool is_number;
  bool required;
  std::string_view about;
  std::int64_t least = 0, most = 0;  ///< of a number
  std::string_view words = "";       ///< of a word: the allowed ones, separated by spaces; empty: `check` decides
  std::string_view examples = "";    ///< of free text: what is drawn from where cases are invented, separated by '|'
};

/// Who announces a sync point: the supervisor, a server, the root of the tree, or any node of it.
enum class Announcer : std::uint8_t { supervisor, server, root, node };
struct SyncPointWord {
  std::string point;
  Announcer by = Announcer::supervisor;
};

/// The words that a scenario may use, gathered from the tables of the rooms that own them. Passed to the reader,
/// which knows none of those rooms.
struct Vocabulary {
  struct FaultWords {
    std::string key;
    std::vector<Setting> settings;
    /// What is wrong with the settings taken together; empty when nothing is.
    std::string (*check)(const FaultSpec&) = nullptr;
    bool in_subject = false;  ///< it acts inside the supervisor or the task: one case has room for one such fault
  };
  std::vector<std::string> backends;
  /// Why a key that looks like a backend cannot be had, and what works instead; empty when it is not reserved.
  std::string (*reserved_backend)(std::string_view key) = nullptr;
  std::vector<std::string> profiles;  ///< that there are files of; empty: whoever reads does not know
  std::vector<std::string> oracles;
  std::vector<SyncPointWord> sync_points;
  std::vector<FaultWords> faults;
};

}  // namespace forkproof
