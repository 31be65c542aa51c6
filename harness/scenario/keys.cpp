#include "harness/scenario/keys.h"

#include <fmt/format.h>

#include "harness/core/profile.h"

namespace forkproof::scenario {

std::span<const KeyRow> key_rows() {
  static constexpr KeyRow rows[] = {
#define FORKPROOF_TABLE(name, about)
#define FORKPROOF_KEY(table, key, type, otherwise, about) {table, key, type, otherwise, about},
#include "harness/scenario/keys.def"
#undef FORKPROOF_TABLE
#undef FORKPROOF_KEY
  };
  return rows;
}

std::span<const KeyTable> key_tables() {
  static constexpr KeyTable tables[] = {
#define FORKPROOF_TABLE(name, about) {name, about},
#define FORKPROOF_KEY(table, key, type, otherwise, about)
#include "harness/scenario/keys.def"
#undef FORKPROOF_TABLE
#undef FORKPROOF_KEY
  };
  return tables;
}

std::vector<std::string> keys_of(std::string_view table) {
  std::vector<std::string> keys;
  for (const KeyRow& row : key_rows()) {
    if (row.table == table) keys.emplace_back(row.key);
  }
  return keys;
}

std::vector<std::string> knob_keys() {
  std::vector<std::string> keys;
  for (const Knob& knob : knobs()) keys.emplace_back(knob.key);
  return keys;
}

std::string key_pages() {
  std::string pages;
  for (const KeyTable& table : key_tables()) {
    pages += fmt::format("### {}\n\n| key | type | where nothing is said | what it says |\n|---|---|---|---|\n", table.about);
    for (const KeyRow& row : key_rows()) {
      if (row.table == table.name) pages += fmt::format("| `{}` | {} | {} | {} |\n", row.key, row.type, row.otherwise, row.about);
    }
    pages += "\n";
  }
  return pages;
}

}  // namespace forkproof::scenario
