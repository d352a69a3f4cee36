#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/read.hpp"

namespace isthmus {

/// The values of a point on the axes of its sweep: JSON pointer and value, in the order of the axes.
using SweptValues = std::vector<std::pair<std::string, nlohmann::json>>;

/// The points of a scenario's `sweep`: the product of its axes in the order they are written, the last one
/// varying fastest. Without a sweep there is one point with no values. Only the sweep itself is checked.
std::vector<SweptValues> sweep_points(const ScenarioDocument& scenario, const nlohmann::json& schema);

/// The scenario at one point: `fixed`, which is the scenario without its sweep, with swept values put in.
nlohmann::json at_point(const ScenarioDocument& fixed, const SweptValues& values);

/// A name for a point that is fit for a folder: its number, padded to the width of the largest, and its
/// values, such as `03-ist-10Mbps`; without swept values `fallback` takes their place.
std::string point_id(std::size_t index, std::size_t count, const SweptValues& values,
                     const std::string& fallback);

/// `/protocol = {"kind":"ist"}, /platform/workers = 4`, for messages.
std::string describe_values(const SweptValues& values);

}  // namespace isthmus
