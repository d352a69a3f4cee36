#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/scenario/schema_view.hpp"

namespace isthmus {

/// A place of scenarios that a sweep speaks about.
struct SweepTarget {
  std::string pointer;              ///< the place: /platform/bandwidth
  std::vector<std::string> tokens;  ///< of `pointer`
  std::string place;                ///< where the sweep speaks about it: /sweep/~1platform~1bandwidth
  SchemaView::Schemas schemas;      ///< all that speak about the place, of every kind of protocol, data ...
};

/// What `pointer`, written at `place`, leads to. It must lead to something that some scenario can have there;
/// whether this one can, its points will show.
SweepTarget find_target(const std::string& pointer, const std::string& place, const SchemaView& view);

/// The schemas about member `key` of `container`; an InputError at `place` if there is no such member.
SchemaView::Schemas find_member(const SchemaView::Schemas& container, const std::string& container_pointer,
                                const std::string& key, const std::string& place, const SchemaView& view);

/// Throws an InputError at `place` unless some schema takes `value` itself (not looking into it).
void require_value(const nlohmann::json& value, const SchemaView::Schemas& schemas, const std::string& place,
                   const SchemaView& view);

/// Throws an InputError about the first thing in `value`, or in one of its members, that the schema
/// `#/definitions/<definition>` does not want.
void require_form(const nlohmann::json& value, const std::string& definition, const std::string& place,
                  const SchemaView& view);

/// What values between two others can be at a place.
enum class ValueKind { other, integer, number, quantity };

ValueKind value_kind(const SchemaView::Schemas& schemas);

/// The keyword `quantity` at a place, for parse_quantity(); empty: none.
std::string quantity_name(const SchemaView::Schemas& schemas);

}  // namespace isthmus
