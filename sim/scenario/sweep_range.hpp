#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/scenario/sweep_target.hpp"

namespace isthmus {

/// The values of a range {"from", "to", "points", "scale"} at a place. The ends are as written; what lies
/// between has four significant digits (quantities with the prefix that fits), or is rounded where the place
/// takes integers. An InputError says so if the place has no values in between, or two of them fall together.
std::vector<nlohmann::json> range_values(const nlohmann::json& range, const SweepTarget& target,
                                         const SchemaView& view);

}  // namespace isthmus
