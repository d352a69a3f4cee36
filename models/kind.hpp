#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace isthmus {

/// One of the choices behind a scenario's `kind` (protocols, models) or `set` (data sets).
struct Kind {
  std::string name;
  std::string summary;     ///< one line for `isthmus list` and for editors
  nlohmann::json options;  ///< JSON Schema `properties` of its own options, with defaults and descriptions
  nlohmann::json required = nlohmann::json::array();  ///< names of the options that have no default
};

}  // namespace isthmus
