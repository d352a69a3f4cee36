#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace isthmus::analysis {

struct CostAndGain {
  double cost, gain;
};

/// The positions of those that nothing beats (that costs as little or less and gains more, or costs less and
/// gains as much), by ascending cost. Of equal ones, the first.
std::vector<std::size_t> pareto_front(std::span<const CostAndGain> candidates);

}  // namespace isthmus::analysis
