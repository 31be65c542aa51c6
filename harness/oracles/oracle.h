#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "harness/core/history.h"
#include "harness/core/verdict.h"

namespace forkproof::oracles {

/// One promise: a pure function from a history to a verdict. It reads nothing else, so that yesterday's run can be
/// judged by today's oracle.
using Oracle = Verdict (*)(const History&);

/// One row of oracles.def.
struct OracleRow {
  std::string_view key;
  std::string_view promise;
  Oracle judge;
};
std::span<const OracleRow> oracles();

/// Every promise judged. An oracle that throws is unknown, never held; and nothing is held, or broken, by a history
/// that is not whole, or in which a fault was never established and fired: then the question was not asked.
std::map<std::string, Verdict> judge(const History& history);

}  // namespace forkproof::oracles
