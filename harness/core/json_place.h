#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace forkproof {

/// A document from outside. BadInput, in one line with line and column or with the place, for what is no JSON, is nested
/// deeper than any document of ours (what reads a tree may recurse), or says one key of an object twice.
nlohmann::json parse_json(std::string_view text);

/// A value somewhere in a JSON document, and where: all that is asked of it and is not so is BadInput that begins with
/// the place ("/cells/0/runs: ..."). Passive; borrows the document.
class JsonPlace {
 public:
  using Json = nlohmann::json;
  explicit JsonPlace(const Json& document) : value_(&document) {}

  /// Of an object: the value of a key, which must be there.
  [[nodiscard]] JsonPlace at(std::string_view key) const;
  /// Likewise; nothing where it is not there, or null.
  [[nodiscard]] std::optional<JsonPlace> find(std::string_view key) const;
  [[nodiscard]] std::vector<std::pair<std::string, JsonPlace>> members() const;
  [[nodiscard]] std::vector<JsonPlace> items() const;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::vector<std::string> texts() const;
  [[nodiscard]] bool flag() const;
  /// A whole number from 0 on.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::int64_t whole(std::int64_t least, std::int64_t most) const;
  [[nodiscard]] double number(double least, double most) const;

  [[nodiscard]] const Json& json() const { return *value_; }
  [[nodiscard]] std::string path() const { return path_.empty() ? "/" : path_; }
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  JsonPlace(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}
  void want(bool is_so, const char* what) const;

  const Json* value_;
  std::string path_;
};

}  // namespace forkproof
