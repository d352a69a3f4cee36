#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/study/quantity.hpp"
#include "analysis/study/study.hpp"

namespace isthmus::analysis {

/// A value that runs are told apart by: null, a number in SI, or a text.
struct AxisValue {
  Json value;
  Unit unit = Unit::none;
};

/// A value of a configuration or of a summary: quantities in SI, lists of one as their member, longer lists
/// joined ("512-512"), workers given by name as their number, files by their stem.
AxisValue axis_value(const std::string& key, const Json& value);

/// Every scalar (or list) of a run's resolved configuration by its JSON pointer.
std::vector<std::pair<std::string, Json>> configuration_leaves(const Run& run);

/// What a run has under a key: a value it was swept over (by the name of the axis), a JSON pointer into its
/// configuration, a column of runs.csv, or "study". Null where it has none.
AxisValue value_of(const Run& run, const std::string& key);

}  // namespace isthmus::analysis
