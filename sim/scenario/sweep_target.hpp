#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/scenario/checker.hpp"

namespace isthmus {

/// A place of scenarios that a sweep speaks about.
struct SweepTarget {
  std::string pointer;          ///< the place: /platform/bandwidth
  std::string place;            ///< where the sweep speaks about it: /sweep/~1platform~1bandwidth
  SchemaView::Schemas schemas;  ///< all that speak about the place, of every kind of protocol, data ...

  /// Member `key` of it. An InputError if no scenario can have one.
  SweepTarget member(const std::string& key, const SchemaView& view) const;

  /// What values between two others can be there: "quantity", "integer", "number"; empty: there are none.
  std::string kind() const;

  /// The same for `range`; an InputError if there are none.
  std::string range_kind(const nlohmann::json& range) const;

  /// The keyword `quantity`, for parse_quantity(); empty: none.
  std::string quantity() const;
};

/// What `pointer`, written at `place`, leads to. It must lead to something that some scenario can have there;
/// whether this one can, its points will show.
SweepTarget find_target(const std::string& pointer, const std::string& place, const SchemaView& view);

/// Throws an InputError at `place` unless some schema of the target takes `value` itself (not looking into
/// it).
void require_value(const nlohmann::json& value, const SweepTarget& target, const std::string& place,
                   const Checker& checker);

}  // namespace isthmus
