#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/duration.h"
#include "harness/fuzz/exchange.h"
#include "harness/run/run_pool.h"

// Order search: which orders of a case break a promise, and what decides. Every answer rests on real runs: an order
// counts as breaking or holding by most of its runs, never by one.

namespace forkproof::fuzz {

/// What N runs of one kind of order came to.
struct Survey {
  std::string kind;             ///< "as it comes", "random", "pct, 2 changes"
  std::uint64_t runs = 0;
  std::uint64_t broken = 0;     ///< some promise was
  std::uint64_t unknown = 0;    ///< none was broken, and some could not be told
  std::uint64_t unsettled = 0;  ///< some step was made while somebody still ran
  std::uint64_t decisions = 0;  ///< of all runs together
  Nanos wall{};                 ///< of all runs together
  std::map<std::string, std::uint64_t> by_oracle;
  std::optional<std::uint64_t> first;  ///< which order broke first, from 1
};

/// How one order came out, for one promise.
struct Agreement {
  std::uint64_t runs = 0, broken = 0, held = 0;  ///< the rest could not be told
};

/// An order that breaks a promise, the nearest that holds it, and what decides between them.
struct OrderFound {
  std::string oracle;
  Verdict verdict;                  ///< of the breaking run
  std::string found_by;             ///< the schedule that broke it first
  std::string breaks;               ///< the same as letters
  Agreement breaking;
  std::string holds;                ///< letters; what was exchanged stands in `exchanges`
  Agreement holding;
  std::vector<Exchange> exchanges;  ///< the critical pair; empty when no order near it holds
  std::uint64_t orders_tried = 0;
  Nanos wall{};
};

struct OrderSearch {
  std::uint64_t orders = 50;        ///< of each kind
  std::uint64_t seed = 1;
  std::uint64_t most_changes = 3;   ///< PCT with 0 changes, 1 ... up to so many
  std::uint64_t confirm_runs = 5;   ///< n: an order is run so often ...
  std::uint64_t confirm_least = 4;  ///< ... and at least k of them must agree
  Nanos budget = std::chrono::seconds(60);  ///< of the search for the nearest
};

/// Says what is being done, as one line that may be written over.
using Saying = std::function<void(const std::string&)>;

/// All kinds: as it comes, random, PCT. `broken`: a run that broke under a schedule, by the most telling order that did
/// (the fewest decisions), if any did. Ends early when the pool is interrupted.
std::vector<Survey> survey_orders(run::RunPool& pool, const Case& one, const OrderSearch& search, const Saying& say,
                                  std::optional<run::FinishedRun>* broken);

/// Confirms that the order of a broken run breaks the promise, then looks for the nearest that holds: all single exchanges
/// of it, then exchanges of those, until the budget is over.
OrderFound nearest_that_holds(run::RunPool& pool, const run::FinishedRun& broken, const std::string& oracle,
                              const OrderSearch& search, const Saying& say);

}  // namespace forkproof::fuzz
