#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace isthmus {

/// One of the choices behind a scenario's `kind` (protocols, models) or `set` (data sets).
struct Kind {
  std::string name;
  std::string summary;  ///< one line for `isthmus list` and for editors
  /// JSON Schema `properties` of its own options, with defaults and descriptions. `timeOnly`: an option that
  /// decides when values travel, but not which, nor in which order they are added.
  nlohmann::json options;
  nlohmann::json required = nlohmann::json::array();  ///< names of the options that have no default
  /// Of code outside this project: to be raised whenever it computes other numbers than before, as these are
  /// stored by it. Empty for the project's own, whose sources are hashed.
  std::string version = {};
};

/// What a scenario says of a kind, and the defaults of what it does not say.
inline nlohmann::json with_defaults(nlohmann::json options, const Kind& kind) {
  for (const auto& [option, schema] : kind.options.items()) {
    if (!options.contains(option) && schema.contains("default")) options[option] = schema.at("default");
  }
  return options;
}

/// Of each entry of a registry its kind.
template <typename Entry>
std::vector<Kind> kinds_of(const std::vector<Entry>& entries) {
  std::vector<Kind> kinds;
  for (const Entry& entry : entries) kinds.push_back(entry.kind);
  return kinds;
}

}  // namespace isthmus
