#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sim/scenario/schema_view.hpp"

namespace isthmus {

/// Says in one sentence what is wrong with `value` itself (not with what is in it), by the schemas that speak
/// about its place: `/training/batch: found 0; must be at least 1`. Nothing if it cannot tell.
std::optional<std::string> explain(const SchemaView& view, const nlohmann::json& value,
                                   const SchemaView::Schemas& schemas, const std::string& pointer);

/// The same for a string whose schema has the keyword `quantity` (bandwidth, latency, ...), by parsing it.
std::optional<std::string> explain_quantity(const nlohmann::json& value, const SchemaView::Schemas& schemas,
                                            const std::string& pointer);

}  // namespace isthmus
