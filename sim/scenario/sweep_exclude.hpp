#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/scenario/checker.hpp"
#include "sim/scenario/read.hpp"

namespace isthmus {

/// The rules of a sweep's `exclude`: each removes the points at which all of its conditions hold. A condition
/// is a value (quantities compare as quantities), a list of which any may hold, a range {"from", "to"} with
/// its ends, or an object whose members all must hold.
class ExclusionRules {
 public:
  /// Throws an InputError about the first thing that is wrong with `rules`.
  ExclusionRules(const ScenarioDocument& rules, const Checker& checker);

  /// Whether some rule removes the point with this configuration. Notes which rules do.
  bool removes(const nlohmann::json& configuration);

  /// Throws an InputError about the first rule that has removed no point so far, and tells why.
  void require_use() const;

 private:
  struct Condition {
    nlohmann::json::json_pointer pointer;
    std::string text;  ///< as written
    std::function<bool(const nlohmann::json&)> holds;
    bool has_held = false;
    std::vector<std::string> seen{};  ///< what was there instead: some distinct values
  };
  struct Rule {
    std::string place;
    std::vector<Condition> conditions;
    bool was_used = false;
  };
  static bool test(Condition& condition, const nlohmann::json& configuration);

  std::vector<Rule> rules_;
};

}  // namespace isthmus
