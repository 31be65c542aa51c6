#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/summary.h"

namespace forkproof::reports {

// What the formats call the same things by.

/// The profile, or the command.
std::string subject_name(const CellSummary& cell);
/// The variant, empty where the file has none.
std::string variant_name(const CellSummary& cell);
/// The scenario's name without its variant.
std::string scenario_name(const CellSummary& cell);
/// With the variant: "fork-after-thread/std-mutex".
std::string full_scenario_name(const CellSummary& cell);
/// A row among those of one scenario: the profile, or, where the file has variants, the variant and then the profile.
std::string row_name(const CellSummary& cell);
/// The cell among all: "heartbeat-409: airflow-3.2.0 / fork".
std::string cell_name(const CellSummary& cell);

/// Some of a summary's cells, in its order. Borrowed from it.
using Cells = std::vector<const CellSummary*>;
Cells pointers_to(const std::vector<CellSummary>& cells);
/// The names that cells have, each once, in the cells' order.
std::vector<std::string> distinct(const Cells& cells, std::string (*name)(const CellSummary&));
/// The cells by some name of theirs, in their order.
std::vector<std::pair<std::string, Cells>> grouped_by(const Cells& cells, std::string (*name)(const CellSummary&));

/// A letter for each promise: the first of its words that is free ("no-orphans" O, "state-reported" R).
using Letters = std::map<std::string, char>;
Letters letters_for(const std::vector<std::string>& oracles);

/// "1 run", "2 runs", "1,204 cells".
std::string counted(std::uint64_t count, const char* one, const char* many);
/// "1,204".
std::string grouped(std::uint64_t count);

/// The words of the command that shows this cell again, ready for a shell.
std::vector<std::string> reproducing_words(const CellSummary& cell, const RunSummary& summary);
/// The same in one line.
std::string reproducing_line(const CellSummary& cell, const RunSummary& summary);

}  // namespace forkproof::reports
