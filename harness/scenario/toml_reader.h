#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/duration.h"

namespace forkproof::scenario {

/// One table of a TOML file, read strictly: each value is asked for by key, and what nobody asked for is an error that
/// names the nearest key. All errors are BadInput: "file:line:column: what is wrong". Passive; cheap to copy.
class TomlTable {
 public:
  /// Reads a file; BadInput when it is not there, too large, or no TOML.
  static TomlTable from_file(const std::string& path);
  /// Reads a text; `name` stands for the file in errors.
  static TomlTable from_text(const std::string& text, const std::string& name);

  [[nodiscard]] bool has(const std::string& key) const;
  std::string text(const std::string& key, const std::optional<std::string>& otherwise = std::nullopt);
  std::int64_t number(const std::string& key, std::int64_t least, std::int64_t most,
                      std::optional<std::int64_t> otherwise = std::nullopt);
  double fraction(const std::string& key, double least, double most, double otherwise);
  /// Seconds, whole or not, as a duration; the key ends in `_s`.
  std::optional<Nanos> seconds(const std::string& key);
  bool flag(const std::string& key, bool otherwise);
  std::vector<std::string> words(const std::string& key);
  std::vector<std::int64_t> numbers(const std::string& key);
  std::optional<TomlTable> table(const std::string& key);
  std::vector<TomlTable> tables(const std::string& key);
  /// Of a whole file: the file again with its `index`-th table of the list `key` laid over the rest, without that list
  /// and without the laid table's "name". Tables merge key by key, a table over a list of tables goes to the one whose
  /// "fault" or "role" is its key, and anything else replaces.
  [[nodiscard]] TomlTable with_overlay(const std::string& key, std::size_t index) const;
  /// All keys of this table, for one whose keys are the file's own matter.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] bool is_text(const std::string& key) const;
  [[nodiscard]] bool is_number(const std::string& key) const;

  /// Every key has been asked for, or BadInput. For a table whose keys are the file's own matter.
  void finish() const;
  /// The same for a table of keys.def; `others`: its keys that other tables have, such as knobs. HarnessFailure when a key
  /// was asked for that has no row there.
  void finish(std::string_view table, const std::vector<std::string>& others = {}) const;
  /// BadInput at the key's place, or at the table's where the key is empty.
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;
  /// BadInput that says what is there instead: "role: unknown word 'x' (did you mean 'y'?)".
  [[noreturn]] void refuse_word(const std::string& key, const std::string& word,
                                const std::vector<std::string>& known) const;

 private:
  void refuse_nul(const std::string& key, const std::string& text) const;

  struct Impl;
  explicit TomlTable(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace forkproof::scenario
