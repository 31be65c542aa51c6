#pragma once
// Inside core only: writes and reads anything that lists its fields in a static `each` as a JSON object.
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/core/duration.h"
#include "harness/core/event.h"
#include "harness/core/wait_status.h"

namespace forkproof::json_fields {

using Json = nlohmann::json;

template <class T>
void write(Json& object, const T& value);
template <class T>
void read(const Json& object, T& value);

template <class T>
Json to_json(const T& value) {
  return value;
}
inline Json to_json(const Nanos& value) { return value.count(); }
inline Json to_json(const WaitStatus& value) { return value.raw(); }
template <class T>
Json to_json(const std::vector<T>& values)
  requires std::is_class_v<T> && requires { T::kind; }
{
  Json list = Json::array();
  for (const T& value : values) write(list.emplace_back(Json::object()), value);
  return list;
}

/// A whole number of that type: no fraction, and none that would become another number.
template <class T>
T whole_number(const Json& json) {
  const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                              : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
  if (!fits) throw std::runtime_error("wants another whole number");
  return json.get<T>();
}

template <class T>
void from_json(const Json& json, T& value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) value = whole_number<T>(json);
  else value = json.get<T>();
}
/// Times can be added and taken from each other: none is longer than thirty years.
inline Nanos nanos(const Json& json) {
  constexpr Nanos::rep most = 1'000'000'000'000'000'000;
  const auto read = whole_number<Nanos::rep>(json);
  if (read < -most || read > most) throw std::runtime_error("wants a time");
  return Nanos(read);
}
inline void from_json(const Json& json, Nanos& value) { value = nanos(json); }
inline void from_json(const Json& json, WaitStatus& value) { value = WaitStatus(whole_number<int>(json)); }
template <class T>
void from_json(const Json& json, std::vector<T>& values)
  requires std::is_class_v<T> && requires { T::kind; }
{
  values.clear();
  for (const Json& each : json) read(each, values.emplace_back());
}

template <class T>
void write(Json& object, const T& value) {
  T::each(value, [&object](FieldName name, const auto& field) { object[name.text] = to_json(field); });
}
template <class T>
void read(const Json& object, T& value) {
  T::each(value, [&object](FieldName name, auto& field) {
    if (!name.later || object.contains(name.text)) from_json(object.at(name.text), field);
  });
}

}  // namespace forkproof::json_fields
