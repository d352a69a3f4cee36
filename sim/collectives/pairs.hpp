#pragma once

#include <vector>

#include "sim/platform/platform.hpp"

namespace isthmus {

/// Each rank to the next around the ring.
inline std::vector<RankPair> ring_pairs(int workers) {
  std::vector<RankPair> pairs;
  for (int rank = 0; workers > 1 && rank < workers; ++rank) pairs.emplace_back(rank, (rank + 1) % workers);
  return pairs;
}

/// Everybody to everybody else.
inline std::vector<RankPair> all_pairs_of(int workers) {
  std::vector<RankPair> pairs;
  for (int from = 0; from < workers; ++from) {
    for (int to = 0; to < workers; ++to) {
      if (from != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

}  // namespace isthmus
