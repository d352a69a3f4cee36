#include "analysis/statistics/front.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace isthmus::analysis {

std::vector<std::size_t> pareto_front(std::span<const CostAndGain> candidates) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    if (candidates[a].cost != candidates[b].cost) return candidates[a].cost < candidates[b].cost;
    return candidates[a].gain > candidates[b].gain;
  });
  std::vector<std::size_t> front;
  double best = -std::numeric_limits<double>::infinity();
  for (const std::size_t i : order) {
    if (candidates[i].gain <= best) continue;
    best = candidates[i].gain;
    front.push_back(i);
  }
  return front;
}

}  // namespace isthmus::analysis
