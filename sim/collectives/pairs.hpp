#pragma once

#include <set>
#include <vector>

#include "sim/platform/platform.hpp"

namespace isthmus {

/// Each rank to the next around the ring.
inline std::vector<RankPair> ring_pairs(int workers) {
  std::vector<RankPair> pairs;
  for (int rank = 0; workers > 1 && rank < workers; ++rank) pairs.emplace_back(rank, (rank + 1) % workers);
  return pairs;
}

// A binomial tree with rank 0 at its root. A rank's parent is the rank without its lowest bit.

inline int binomial_parent(int rank) { return rank & (rank - 1); }

/// The nearest first, which have the smallest trees below them.
inline std::vector<int> binomial_children(int rank, int workers) {
  std::vector<int> children;
  for (int step = 1; rank + step < workers && (rank & step) == 0; step *= 2) children.push_back(rank + step);
  return children;
}

/// Each parent to its children.
inline std::vector<RankPair> binomial_pairs(int workers) {
  std::vector<RankPair> pairs;
  for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(binomial_parent(rank), rank);
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

/// Adds the pairs of a group, whose rank i is ranks[i].
inline void add_pairs_of_group(std::set<RankPair>& pairs, const std::vector<RankPair>& of_group,
                               const std::vector<int>& ranks) {
  for (const auto& [from, to] : of_group)
    pairs.emplace(ranks[static_cast<std::size_t>(from)], ranks[static_cast<std::size_t>(to)]);
}

}  // namespace isthmus
