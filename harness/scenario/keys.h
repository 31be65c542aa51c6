#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forkproof::scenario {

/// One key that a file may have: a row of keys.def.
struct KeyRow {
  std::string_view table;
  std::string_view key;
  std::string_view type;
  std::string_view otherwise;  ///< what counts where the file says nothing
  std::string_view about;
};
/// One table of a file, with its heading.
struct KeyTable {
  std::string_view name;
  std::string_view about;
};

std::span<const KeyRow> key_rows();
std::span<const KeyTable> key_tables();
std::vector<std::string> keys_of(std::string_view table);
/// The keys of knobs.def.
std::vector<std::string> knob_keys();
/// The tables of keys as Markdown, as scenarios/README.md holds them.
std::string key_pages();

}  // namespace forkproof::scenario
