#pragma once

#include <vector>

#include "sim/scenario/checker.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/sweep.hpp"

namespace isthmus {

/// The axes of `sweep` in written order: each axis that stands by itself, and each group of `zip`, is a
/// factor of the product. `sweep` is an object; its member `exclude` is left to others.
std::vector<SweepGroup> read_groups(const ScenarioDocument& sweep, const Checker& checker);

}  // namespace isthmus
