#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/checker.hpp"
#include "sim/scenario/read.hpp"

namespace isthmus {

/// The values of a point on the axes of its sweep: JSON pointer and value, in the order of the axes.
using SweptValues = std::vector<std::pair<std::string, nlohmann::json>>;

/// The labels of those values of a point that have one: JSON pointer and label, in the order of the axes.
using SweptLabels = std::vector<std::pair<std::string, std::string>>;

/// What a sweep varies at one place.
struct SweepAxis {
  std::string pointer;              ///< the place: /platform/bandwidth
  std::vector<std::string> tokens;  ///< of `pointer`
  std::string place;                ///< where the axis is written: /sweep/zip/0/~1platform~1bandwidth
  std::vector<nlohmann::json> values;
  std::vector<std::string> labels;  ///< of the values; empty: they have none
};

/// One factor of the product: an axis, or axes of `zip` that advance together and so have equal lengths.
struct SweepGroup {
  std::vector<SweepAxis> axes;  ///< at least one
  std::size_t size() const { return axes.front().values.size(); }
};

struct SweepPoint {
  SweptValues values;
  SweptLabels labels;
};

/// A scenario's `sweep`: the product of its groups, without what its rules exclude.
struct Sweep {
  std::vector<SweepGroup> groups;
  std::size_t product = 1;         ///< points before exclusion
  std::vector<SweepPoint> points;  ///< in order: the last group varies fastest
};

/// Reads the sweep of a scenario. Without one there is one point with no values. Anything wrong with the
/// sweep itself is an InputError; whether its values are right, the points will show.
Sweep read_sweep(const ScenarioDocument& scenario, const Checker& checker);

/// The scenario at one point: `fixed`, which is the scenario without its sweep, with the point's values put
/// in.
nlohmann::json at_point(const ScenarioDocument& fixed, const Sweep& sweep, const SweepPoint& point);

/// What a value is called that has no label: kinds and texts by themselves, numbers with what they count,
/// such as `ist`, `10Mbps`, `workers4`.
std::string short_name(const std::string& pointer, const nlohmann::json& value);

/// A name for a point that is fit for a folder: its number, padded to the width of the largest, and its
/// labels and values, such as `03-ist-10Mbps`; without swept values `fallback` takes their place.
std::string point_id(std::size_t index, std::size_t count, const SweepPoint& point,
                     const std::string& fallback);

/// The label where there is one, else the short name.
std::string swept_name(const SweptLabels& labels, const std::string& pointer, const nlohmann::json& value);

/// `/protocol = "IST", /platform/workers = 4`, for messages: the label where there is one, else the value.
std::string describe_values(const SweptValues& values, const SweptLabels& labels);

}  // namespace isthmus
