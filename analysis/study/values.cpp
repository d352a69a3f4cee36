#include "analysis/study/values.hpp"

#include <filesystem>

namespace isthmus::analysis {
namespace {

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void add_leaves(const std::string& pointer, const Json& value,
                std::vector<std::pair<std::string, Json>>& leaves) {
  if (!value.is_object()) {
    leaves.emplace_back(pointer, value);
    return;
  }
  for (const auto& [key, member] : value.items()) add_leaves(pointer + '/' + key, member, leaves);
}

/// "ist, local_steps 30" for an object with a kind.
std::string describe_object(const Json& object) {
  std::string name, options;
  for (const auto& [key, member] : object.items()) {
    if (key == "kind" || key == "set" || key == "name") {
      name = as_text(member);
    } else {
      options += ", " + key + ' ' + as_text(member);
    }
  }
  return name.empty() && !options.empty() ? options.substr(2) : name + options;
}

Unit unit_of_column(const std::string& column) {
  if (column.ends_with("_seconds") || column == "seconds_to_target") return Unit::seconds;
  if (column.starts_with("memory_")) return Unit::memory;
  if (column.ends_with("_bytes") || column.starts_with("bytes_") || column.ends_with("bytes_per_round"))
    return Unit::bytes;
  return column.ends_with("_accuracy") ? Unit::fraction : Unit::none;
}

}  // namespace

AxisValue axis_value(const std::string& key, const Json& value) {
  if (value.is_array()) {
    if (key.ends_with("/workers")) return {Json(value.size())};
    if (value.size() == 1) return axis_value(key, value.front());
    std::string text;
    for (const Json& member : value) text += (text.empty() ? "" : "-") + as_text(member);
    return {text};
  }
  if (value.is_object()) return {describe_object(value)};
  if (value.is_boolean()) return {value.get<bool>() ? "yes" : "no"};
  if (!value.is_string()) return {value};
  const std::string text = value.get<std::string>();
  if (const auto quantity = parse_quantity(text)) return {quantity->value, quantity->unit};
  if (key.ends_with("/file") || key.ends_with("/path")) return {std::filesystem::path(text).stem().string()};
  return {text};
}

std::vector<std::pair<std::string, Json>> configuration_leaves(const Run& run) {
  std::vector<std::pair<std::string, Json>> leaves;
  if (run.configuration.is_object()) add_leaves("", run.configuration, leaves);
  return leaves;
}

AxisValue value_of(const Run& run, const std::string& key) {
  if (key == "study") return {run.study};
  if (run.configuration.is_object() && key.starts_with('/')) {
    try {
      const Json::json_pointer pointer(key);
      if (run.configuration.contains(pointer)) return axis_value(key, run.configuration.at(pointer));
    } catch (const Json::exception&) {
      return {};  // no pointer after all
    }
  }
  if (run.swept.is_object() && run.swept.contains(key)) return axis_value(key, run.swept.at(key));
  if (run.summary.is_object() && run.summary.contains(key)) return {run.summary.at(key), unit_of_column(key)};
  return {};
}

}  // namespace isthmus::analysis
