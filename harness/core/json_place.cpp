#include "harness/core/json_place.h"

#include <algorithm>
#include <set>

#include "harness/core/clipped.h"
#include "harness/core/error.h"

namespace forkproof {
namespace {



/// A tree of tasks has 64 levels, each an object in a list; what stands around it is less.
constexpr int deepest = 200;

/// Where in the document the parser is: the keys and indices from the root.
class Way {
 public:
  void open(bool is_list) { steps_.push_back({is_list, 0, {}, {}}); }
  void close() {
    if (!steps_.empty()) steps_.pop_back();
  }
  [[nodiscard]] std::size_t depth() const { return steps_.size(); }
  /// A value begins here; one of a list has the next index.
  void value() {
    if (!steps_.empty() && steps_.back().is_list) ++steps_.back().next;
  }
  /// False where the object has had this key.
  [[nodiscard]] bool key(std::string name) {
    steps_.back().key = name;
    return steps_.back().keys.insert(std::move(name)).second;
  }
  [[nodiscard]] std::string text() const {
    std::string path;
    for (const Step& step : steps_) path += "/" + (step.is_list ? std::to_string(step.next - (step.next > 0 ? 1 : 0)) : clipped(step.key, 40));
    return without_middle(path, 300);
  }

 private:
  struct Step {
    bool is_list;
    std::size_t next;
    std::string key;
    std::set<std::string> keys;
  };
  std::vector<Step> steps_;
};

/// nlohmann's messages begin with a name of its own, in brackets, and end with all that was read of a word.
std::string in_our_words(std::string_view message) {
  const std::size_t end = message.find("] ");
  if (message.starts_with("[") && end != std::string_view::npos) message.remove_prefix(end + 2);
  return without_middle(std::string(message), 300);
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  Way way;
  const auto watch = [&way](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using enum nlohmann::json::parse_event_t;
    switch (event) {
      case object_start:
      case array_start:
        way.value(), way.open(event == array_start);
        if (way.depth() > deepest) throw BadInput(way.text() + ": is nested deeper than " + std::to_string(deepest) + " levels");
        break;
      case object_end:
      case array_end: way.close(); break;
      case key:
        if (!way.key(parsed.get<std::string>())) throw BadInput(way.text() + ": this key is there twice");
        break;
      case value: way.value(); break;
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    const std::string why = in_our_words(error.what());
    // A number that overflows comes without line and column.
    throw BadInput(why.find("at line ") == std::string::npos ? way.text() + ": " + why : why);
  }
}

void JsonPlace::refuse(const std::string& what) const { throw BadInput(without_middle(path(), 300) + ": " + without_middle(what, 600)); }

void JsonPlace::want(bool is_so, const char* what) const {
  if (!is_so) refuse(std::string("wants ") + what + ", not " + value_->type_name());
}

JsonPlace JsonPlace::at(std::string_view key) const {
  want(value_->is_object(), "an object");
  const auto found = value_->find(key);
  if (found == value_->end()) refuse("has no \"" + std::string(key) + "\"");
  return {*found, path_ + "/" + clipped(key, 40)};
}

std::optional<JsonPlace> JsonPlace::find(std::string_view key) const {
  want(value_->is_object(), "an object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return JsonPlace(*found, path_ + "/" + clipped(key, 40));
}

std::vector<std::pair<std::string, JsonPlace>> JsonPlace::members() const {
  want(value_->is_object(), "an object");
  std::vector<std::pair<std::string, JsonPlace>> all;
  for (const auto& [key, value] : value_->items()) all.emplace_back(key, JsonPlace(value, path_ + "/" + clipped(key, 40)));
  return all;
}

std::vector<JsonPlace> JsonPlace::items() const {
  want(value_->is_array(), "a list");
  std::vector<JsonPlace> all;
  for (const auto& each : *value_) all.push_back(JsonPlace(each, path_ + "/" + std::to_string(all.size())));
  return all;
}

std::string JsonPlace::text() const {
  want(value_->is_string(), "a text");
  return value_->get<std::string>();
}

std::vector<std::string> JsonPlace::texts() const {
  std::vector<std::string> all;
  for (const JsonPlace& each : items()) all.push_back(each.text());
  return all;
}

bool JsonPlace::flag() const {
  want(value_->is_boolean(), "true or false");
  return value_->get<bool>();
}

std::uint64_t JsonPlace::count() const {
  want(value_->is_number(), "a number from 0 on");
  if (!value_->is_number_unsigned()) refuse("wants a whole number from 0 on, not " + value_->dump());
  return value_->get<std::uint64_t>();
}

std::int64_t JsonPlace::whole(std::int64_t least, std::int64_t most) const {
  want(value_->is_number(), "a number");
  const bool fits = value_->is_number_unsigned() ? value_->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::max<std::int64_t>(most, 0)) : value_->is_number_integer();
  const auto read = fits ? value_->get<std::int64_t>() : 0;
  if (!fits || read < least || read > most) {
    refuse("wants a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", not " + value_->dump());
  }
  return read;
}

double JsonPlace::number(double least, double most) const {
  want(value_->is_number(), "a number");
  const auto read = value_->get<double>();
  if (!(read >= least && read <= most)) refuse("is out of range: " + value_->dump());
  return read;
}

}  // namespace forkproof
