#pragma once

#include <algorithm>
#include <vector>

namespace isthmus {

/// Of hands that have nothing in common, each worker's own and those of the next workers, `holders` in all:
/// so everything is held by that many of them. Ascending.
template <typename Item>
std::vector<std::vector<Item>> hands_of_neighbours(const std::vector<std::vector<Item>>& hands, int holders) {
  std::vector<std::vector<Item>> joined(hands.size());
  for (std::size_t worker = 0; worker < hands.size(); ++worker) {
    for (std::size_t next = worker; next < worker + static_cast<std::size_t>(holders); ++next) {
      const std::vector<Item>& hand = hands[next % hands.size()];
      joined[worker].insert(joined[worker].end(), hand.begin(), hand.end());
    }
    std::ranges::sort(joined[worker]);
  }
  return joined;
}

}  // namespace isthmus
