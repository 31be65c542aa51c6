#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/core/history.h"

// Which of several processes that wait at sync points goes first: the schedule of a case, a short string.
//
//   ""             as it comes: each is answered at once, and the kernel decides
//   random:SEED    any of those who wait, by a stream of numbers from the seed
//   pct:SEED:D     probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): each process has a random
//                  priority and the highest goes; at D random steps whoever would have gone drops below all others
//   sab.a          one letter a decision: `s` the supervisor, `a`, `b` ... node 0, 1 ... of the tree, in the order of
//                  `letters_of_nodes`; `.` the default. As it can be read back from a history
//
// A decision is where two or more wait; where one waits there is nothing to decide, and no letter. The default, for a
// letter whose process does not wait and when the string is over, is the first by its letter's place: the supervisor,
// then node 0, 1 ... That is the same in every run, as the order of arrival would not be.

namespace forkproof {

/// The letters of node 0, 1, ...; `s` is the supervisor's.
inline constexpr std::string_view letters_of_nodes = "abcdefghijklmnopqrtuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
inline constexpr char letter_of_supervisor = 's';
inline constexpr char letter_of_default = '.';
/// A schedule wants a letter for every process.
inline constexpr std::size_t most_scheduled_nodes = letters_of_nodes.size();
inline constexpr std::size_t most_decisions = 10'000;
inline constexpr std::uint64_t most_changes = 99;

/// The letter of a node, -1 for the supervisor; '?' beyond `most_scheduled_nodes`.
char letter_of(std::int32_t node);
/// -1 for the supervisor, -2 for what is no letter.
std::int32_t node_of(char letter);

struct AsItComes {
  friend bool operator==(const AsItComes&, const AsItComes&) = default;
};
struct RandomOrder {
  std::uint64_t seed = 0;
  friend bool operator==(const RandomOrder&, const RandomOrder&) = default;
};
struct PctOrder {
  std::uint64_t seed = 0;
  std::uint64_t changes = 0;  ///< how often a priority drops
  friend bool operator==(const PctOrder&, const PctOrder&) = default;
};
struct ExplicitOrder {
  std::string letters;
  friend bool operator==(const ExplicitOrder&, const ExplicitOrder&) = default;
};
using Schedule = std::variant<AsItComes, RandomOrder, PctOrder, ExplicitOrder>;

/// BadInput with what is wrong and what would be right.
Schedule schedule_from(std::string_view text);
/// Likewise, for a tree of so many nodes: a letter of a process that the tree does not have would decide nothing.
void check_schedule(std::string_view text, std::size_t nodes);
/// The schedule for a tree that has lost nodes: '.' in the place of letters that nobody has any more.
std::string schedule_for(std::string text, std::size_t nodes);
std::string text(const Schedule& schedule);

/// The explicit schedule that makes the decisions of this run again; empty where there was none to make.
std::string schedule_of(const History& history);

}  // namespace forkproof
