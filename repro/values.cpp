#include "repro/values.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "harness/arena/private_places.h"
#include "harness/core/error.h"

namespace forkproof {
namespace {

/// A number and what stands behind it; nothing where the text does not begin with one.
template <class Number>
std::optional<std::pair<Number, std::string_view>> leading(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, value);
  if (wrong != std::errc{}) return std::nullopt;
  return std::pair(value, std::string_view(rest, static_cast<std::size_t>(end - rest)));
}

std::optional<Nanos> unit_from(std::string_view word) {
  using namespace std::chrono_literals;
  if (word == "ms") return 1ms;
  if (word.empty() || word == "s") return 1s;
  if (word == "m" || word == "min") return 1min;
  if (word == "h") return 1h;
  return std::nullopt;
}

}  // namespace

std::uint64_t whole_number(const std::string& option, const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto read = leading<std::uint64_t>(text);
  if (read && read->second.empty() && read->first >= least && read->first <= most) return read->first;
  throw BadInput(fmt::format("{} {}: wants a whole number from {} to {}", option, text.empty() ? "''" : text, least, most));
}

double number(const std::string& option, const std::string& text, double least, double most) {
  const auto read = leading<double>(text);
  if (read && read->second.empty() && std::isfinite(read->first) && read->first >= least && read->first <= most) return read->first;
  throw BadInput(fmt::format("{} {}: wants a number from {} to {}", option, text.empty() ? "''" : text, least, most));
}

Nanos duration(const std::string& option, const std::string& text, Nanos least, Nanos most) {
  const auto read = leading<double>(text);
  const auto unit = read ? unit_from(read->second) : std::nullopt;
  const double seconds = unit ? read->first * in_seconds(*unit) : -1;
  if (std::isfinite(seconds) && seconds >= in_seconds(least) && seconds <= in_seconds(most)) return from_seconds(seconds);
  throw BadInput(fmt::format("{} {}: wants a time such as 500ms, 60s, 10m or 2h, at most {:g} h", option, text.empty() ? "''" : text,
                             in_seconds(most) / 3600));
}

CLI::Option* add_number(CLI::App& app, const std::string& option, double& value, double least, double most, const std::string& about) {
  return app.add_option_function<std::string>(
      option, [=, &value](const std::string& text) { value = number(option, text, least, most); }, about);
}

CLI::Validator not_empty() {
  return CLI::Validator([](std::string& text) { return std::string(text.empty() ? "wants a value, and '' is none" : ""); }, "");
}

std::vector<std::string> shared_paths(const std::vector<std::string>& asked) {
  std::vector<std::string> paths;
  for (const std::string& each : asked) {
    if (each.empty()) throw BadInput("--share: a path is wanted");
    std::string path = std::filesystem::absolute(each).lexically_normal();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (const std::string wrong = arena::check_shared(path); !wrong.empty()) throw BadInput("--share: " + wrong);
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace forkproof
