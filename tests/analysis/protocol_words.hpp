#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace isthmus::testing {

/// What run.json has under "protocol": what protocols say of themselves, for the project's own.
inline nlohmann::ordered_json protocol_words(const std::string& kind) {
  static const std::map<std::string, std::pair<std::string, std::string>> words = {
      {"data_parallel", {"Data parallel", "blue"}},
      {"local_sgd", {"Local SGD", "orange"}},
      {"ist", {"IST", "green"}},
      {"resist", {"ResIST", "pink"}},
      {"post_local_sgd", {"Post-local SGD", "red"}}};
  const auto found = words.find(kind);
  if (found == words.end()) return nullptr;
  return {{"label", found->second.first}, {"hue", found->second.second}};
}

}  // namespace isthmus::testing
