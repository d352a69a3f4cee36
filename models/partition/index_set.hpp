#pragma once

#include <memory>
#include <vector>

#include "models/matrix.hpp"

namespace isthmus {

/// An ascending set of indices along one axis: a range, or a slice of a shared sorted list. Cheap to copy.
class IndexSet {
 public:
  IndexSet() = default;
  static IndexSet range(Index begin, Index count);
  /// `sorted`: ascending, no repetitions.
  static IndexSet list(std::vector<Index> sorted);

  Index size() const { return count_; }
  bool empty() const { return count_ == 0; }
  bool is_range() const { return list_ == nullptr; }
  Index operator[](Index i) const {
    return is_range() ? begin_ + i : (*list_)[static_cast<std::size_t>(begin_ + i)];
  }

  /// The `count` neighbours that each index i has where all have as many: i * count and those after it.
  IndexSet neighbours(Index count) const;

  /// Where each of these indices stands within `container`, which must have them all.
  IndexSet positions_in(const IndexSet& container) const;

  friend IndexSet intersection(const IndexSet& a, const IndexSet& b);

 private:
  /// Position of the first index not below `index`.
  Index lower_bound(Index index) const;
  IndexSet slice(Index begin, Index end) const;

  std::shared_ptr<const std::vector<Index>> list_;  // null: the range begin_ .. begin_ + count_
  Index begin_ = 0;                                 // of a list: position of its first index
  Index count_ = 0;
};

IndexSet intersection(const IndexSet& a, const IndexSet& b);

}  // namespace isthmus
