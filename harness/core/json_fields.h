#pragma once
// Inside core only: writes and reads anything that lists its fields in a static `each` as a JSON object.
#include <type_traits>
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

template <class T>
void from_json(const Json& json, T& value) {
  value = json.get<T>();
}
inline void from_json(const Json& json, Nanos& value) { value = Nanos(json.get<Nanos::rep>()); }
inline void from_json(const Json& json, WaitStatus& value) { value = WaitStatus(json.get<int>()); }
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
