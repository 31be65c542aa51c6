#include "harness/scenario/toml_reader.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "harness/core/clipped.h"
#include "harness/core/error.h"
#include "harness/scenario/keys.h"
#include "harness/scenario/library.h"

namespace forkproof::scenario {
namespace {

constexpr std::size_t largest_file = 8 << 20;

std::string place(const std::string& file, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", file, region.begin.line, region.begin.column);
}

/// toml++ makes a table of each part of a dotted key, and takes them down by recursion: a long key would use up the stack.
void refuse_long_keys(std::string_view text, const std::string& file) {
  constexpr std::ptrdiff_t most_parts = 200;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    const std::string_view key = whole.substr(0, whole.find('='));
    const auto dots = std::count(key.begin(), key.end(), '.');
    if (dots >= most_parts) throw BadInput(fmt::format("{}:{}:1: a key of {} parts: at most {}", file, line, dots + 1, most_parts));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
  }
}

void overlay(toml::table& base, toml::table&& over);

/// Which of a list's tables a key means: that with this "fault" or "role".
toml::table* named_in(toml::array& list, std::string_view name) {
  for (toml::node& each : list) {
    toml::table* table = each.as_table();
    if (table == nullptr) continue;
    for (const char* key : {"fault", "role"}) {
      if ((*table)[key].value_or(std::string_view()) == name) return table;
    }
  }
  return nullptr;
}

// Nodes are moved, not copied: a copy forgets where in the file it stood.
void overlay_list(toml::array& list, toml::table&& over) {
  for (auto&& [key, node] : over) {
    toml::table* target = named_in(list, key.str());
    if (target == nullptr || !node.is_table()) list.push_back(std::move(node));
    else overlay(*target, std::move(*node.as_table()));
  }
}

void overlay(toml::table& base, toml::table&& over) {
  for (auto&& [key, node] : over) {
    toml::node* there = base.get(key.str());
    if (there != nullptr && there->is_table() && node.is_table()) overlay(*there->as_table(), std::move(*node.as_table()));
    else if (there != nullptr && there->is_array() && node.is_table()) overlay_list(*there->as_array(), std::move(*node.as_table()));
    else base.insert_or_assign(key, std::move(node));
  }
}

std::string kind_of(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return out.str();
}

}  // namespace

struct TomlTable::Impl {
  std::string file;
  std::shared_ptr<const std::string> text;      // of the whole file; only at its root
  std::shared_ptr<const toml::table> document;  // keeps `here` alive
  const toml::table* here = nullptr;
  std::set<std::string> asked;

  const toml::node* ask(const std::string& key) {
    asked.insert(key);
    return here->get(key);
  }
};

TomlTable TomlTable::from_text(const std::string& text, const std::string& name) {
  refuse_long_keys(text, name);
  try {
    auto document = std::make_shared<const toml::table>(toml::parse(text, name));
    auto impl = std::make_shared<Impl>();
    impl->file = name, impl->text = std::make_shared<const std::string>(text);
    impl->document = document, impl->here = document.get();
    return TomlTable(impl);
  } catch (const toml::parse_error& error) {
    throw BadInput(place(name, error.source()) + ": " + without_middle(std::string(error.description()), 300));
  }
}

TomlTable TomlTable::from_file(const std::string& path) {
  if (!is_file(path)) throw BadInput(path + ": no such file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw BadInput(error_text(path));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad() || text.empty()) throw BadInput(path + ": is empty or cannot be read");
  if (text.size() > largest_file) throw BadInput(path + ": is larger than 8 MiB");
  return from_text(text, path);
}

TomlTable TomlTable::with_overlay(const std::string& key, std::size_t index) const {
  auto document = std::make_shared<toml::table>(toml::parse(*impl_->text, impl_->file));
  toml::table over = std::move(*document->get(key)->as_array()->get(index)->as_table());
  document->erase(key);
  over.erase("name");
  overlay(*document, std::move(over));
  auto impl = std::make_shared<Impl>();
  impl->file = impl_->file, impl->text = impl_->text, impl->here = document.get();
  impl->document = std::move(document);
  return TomlTable(impl);
}

bool TomlTable::has(const std::string& key) const { return impl_->here->contains(key); }
std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, value] : *impl_->here) all.emplace_back(key.str());
  return all;
}
bool TomlTable::is_text(const std::string& key) const {
  const toml::node* node = impl_->here->get(key);
  return node != nullptr && node->is_string();
}
bool TomlTable::is_number(const std::string& key) const {
  const toml::node* node = impl_->here->get(key);
  return node != nullptr && node->is_integer();
}

void TomlTable::refuse(const std::string& key, const std::string& what) const {
  const toml::node* node = key.empty() ? nullptr : impl_->here->get(key);
  const toml::source_region& region = node != nullptr ? node->source() : impl_->here->source();
  throw BadInput(place(impl_->file, region) + ": " + (key.empty() ? "" : clipped(key) + ": ") + without_middle(what, 600));
}

void TomlTable::refuse_word(const std::string& key, const std::string& word,
                            const std::vector<std::string>& known) const {
  const std::string near = nearest(word, known);
  std::string hint = near.empty() ? "" : " (did you mean '" + near + "'?)";
  if (known.empty()) hint = " (there is none)";
  else if (near.empty() && known.size() <= 12) hint = fmt::format(" (one of: {})", fmt::join(known, ", "));
  refuse(key, "unknown word '" + clipped(word) + "'" + hint);
}

std::string TomlTable::text(const std::string& key, const std::optional<std::string>& otherwise) {
  const toml::node* node = impl_->ask(key);
  if (node == nullptr && otherwise) return *otherwise;
  if (node == nullptr) refuse("", "'" + key + "' is missing");
  const auto value = node->value_exact<std::string>();
  if (!value) refuse(key, "wants a string, not " + kind_of(*node));
  refuse_nul(key, *value);
  return *value;
}

/// Beyond a NUL no word of a command line, no path and no variable would go on.
void TomlTable::refuse_nul(const std::string& key, const std::string& text) const {
  if (text.find('\0') != std::string::npos) refuse(key, "holds a NUL, and that ends every word");
}

std::int64_t TomlTable::number(const std::string& key, std::int64_t least, std::int64_t most,
                               std::optional<std::int64_t> otherwise) {
  const toml::node* node = impl_->ask(key);
  if (node == nullptr && otherwise) return *otherwise;
  if (node == nullptr) refuse("", "'" + key + "' is missing");
  const auto value = node->value_exact<std::int64_t>();
  if (!value) refuse(key, "wants a whole number, not " + kind_of(*node));
  if (*value < least || *value > most) refuse(key, fmt::format("{} is not from {} to {}", *value, least, most));
  return *value;
}

double TomlTable::fraction(const std::string& key, double least, double most, double otherwise) {
  const toml::node* node = impl_->ask(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value<double>();
  if (!value || !node->is_number()) refuse(key, "wants a number, not " + kind_of(*node));
  if (!std::isfinite(*value) || *value < least || *value > most) {
    refuse(key, fmt::format("{} is not from {} to {}", *value, least, most));
  }
  return *value;
}

std::optional<Nanos> TomlTable::seconds(const std::string& key) {
  constexpr double a_week = 7 * 24 * 3600;
  if (!has(key)) {
    impl_->ask(key);
    return std::nullopt;
  }
  return from_seconds(fraction(key, 0, a_week, 0));
}

bool TomlTable::flag(const std::string& key, bool otherwise) {
  const toml::node* node = impl_->ask(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<bool>();
  if (!value) refuse(key, "wants true or false, not " + kind_of(*node));
  return *value;
}

std::vector<std::string> TomlTable::words(const std::string& key) {
  const toml::node* node = impl_->ask(key);
  std::vector<std::string> words;
  if (node == nullptr) return words;
  if (const auto one = node->value_exact<std::string>()) {
    refuse_nul(key, *one);
    return {*one};
  }
  if (!node->is_array()) refuse(key, "wants a string or a list of strings, not " + kind_of(*node));
  for (const toml::node& each : *node->as_array()) {
    const auto word = each.value_exact<std::string>();
    if (!word) refuse(key, "wants strings in its list, not " + kind_of(each));
    refuse_nul(key, *word);
    words.push_back(*word);
  }
  return words;
}

std::vector<std::int64_t> TomlTable::numbers(const std::string& key) {
  const toml::node* node = impl_->ask(key);
  std::vector<std::int64_t> numbers;
  if (node == nullptr) return numbers;
  if (!node->is_array()) refuse(key, "wants a list of whole numbers, not " + kind_of(*node));
  for (const toml::node& each : *node->as_array()) {
    const auto number = each.value_exact<std::int64_t>();
    if (!number) refuse(key, "wants whole numbers in its list, not " + kind_of(each));
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<TomlTable> TomlTable::table(const std::string& key) {
  const toml::node* node = impl_->ask(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse(key, "wants a table, not " + kind_of(*node));
  auto below = std::make_shared<Impl>();
  below->file = impl_->file, below->document = impl_->document, below->here = node->as_table();
  return TomlTable(below);
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) {
  const toml::node* node = impl_->ask(key);
  std::vector<TomlTable> list;
  if (node == nullptr) return list;
  if (!node->is_array()) refuse(key, "wants a list of tables ([[" + key + "]]), not " + kind_of(*node));
  for (const toml::node& each : *node->as_array()) {
    if (!each.is_table()) refuse(key, "wants tables in its list, not " + kind_of(each));
    auto below = std::make_shared<Impl>();
    below->file = impl_->file, below->document = impl_->document, below->here = each.as_table();
    list.push_back(TomlTable(below));
  }
  return list;
}

/// The readers cannot fall out of step with keys.def: a key that they ask for has a row.
void TomlTable::finish(std::string_view table, const std::vector<std::string>& others) const {
  const std::vector<std::string> known = keys_of(table);
  const auto has = [](const std::vector<std::string>& list, const std::string& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const std::string& key : impl_->asked) {
    if (has(known, key) || has(others, key)) continue;
    throw HarnessFailure(fmt::format("harness/scenario/keys.def has no row for '{}' of '{}'", key, table));
  }
  for (const auto& [key, node] : *impl_->here) {
    const std::string name(key.str());
    if (impl_->asked.contains(name) || !has(known, name)) continue;
    throw BadInput(place(impl_->file, key.source()) + ": key '" + name + "' does not belong here: see `repro list keys`");
  }
  finish();
}

void TomlTable::finish() const {
  for (const auto& [key, node] : *impl_->here) {
    const std::string name(key.str());
    if (impl_->asked.contains(name)) continue;
    const std::string near = nearest(name, impl_->asked);
    throw BadInput(place(impl_->file, key.source()) + ": unknown key '" + clipped(name) + "'" +
                   (near.empty() ? "" : " (did you mean '" + near + "'?)"));
  }
}

}  // namespace forkproof::scenario
