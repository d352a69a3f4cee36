#pragma once

#include <optional>
#include <vector>

#include "models/partition/selection.hpp"

namespace isthmus {

/// Who trains which parameters in a round. Two workers have of a block either the same entries or none in
/// common, unless parts overlap; after the round each parameter becomes the mean over the workers that had
/// it.
class Partition {
 public:
  Partition() = default;
  /// `parts`: by worker. `shared[block]`: every worker that has the block has the same entries of it.
  /// `common`: what every worker has by rule, and not because it was dealt so.
  /// `overlapping`: of other blocks any two may have some entries in common.
  Partition(std::vector<Selection> parts, const std::vector<bool>& shared, Selection common = {},
            bool overlapping = false);

  int workers() const { return static_cast<int>(parts_.size()); }
  const Selection& part(int worker) const { return parts_[static_cast<std::size_t>(worker)]; }
  const Selection& common() const { return common_; }
  /// Workers that have a shared block, ascending; empty for blocks that are dealt out entry by entry.
  const std::vector<int>& sharers(std::size_t block) const { return sharers_[block]; }
  bool overlapping() const { return overlapping_; }
  /// The place of a worker's values among all that contribute to the mean of its entries of a block. Not of
  /// parts that overlap.
  Turn turn(int worker, std::size_t block) const;
  /// A block of which nobody has some entries; none: each parameter has somebody.
  std::optional<std::size_t> abandoned(const ParameterLayout& layout) const;

  /// What two ways to deal a model leave to each worker.
  friend Partition intersection(const Partition& a, const Partition& b);

 private:
  /// How many of a block's entries somebody has, of blocks that are dealt out entry by entry.
  std::size_t held_entries(const ParameterBlock& whole, std::size_t block) const;

  std::vector<Selection> parts_;
  Selection common_;
  bool overlapping_ = false;
  std::vector<std::vector<int>> sharers_;  // by block
};

Partition intersection(const Partition& a, const Partition& b);

/// Every worker has everything.
Partition undivided(const ParameterLayout& layout, int workers);

}  // namespace isthmus
