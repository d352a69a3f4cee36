#include "models/partition/index_set.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace isthmus {

IndexSet IndexSet::range(Index begin, Index count) {
  IndexSet set;
  set.begin_ = begin;
  set.count_ = count;
  return set;
}

IndexSet IndexSet::list(std::vector<Index> sorted) {
  assert(std::is_sorted(sorted.begin(), sorted.end()));
  IndexSet set;
  set.count_ = static_cast<Index>(sorted.size());
  set.list_ = std::make_shared<const std::vector<Index>>(std::move(sorted));
  return set;
}

Index IndexSet::lower_bound(Index index) const {
  if (is_range()) return std::clamp<Index>(index - begin_, 0, count_);
  const auto first = list_->begin() + begin_;
  return std::lower_bound(first, first + count_, index) - first;
}

IndexSet IndexSet::slice(Index begin, Index end) const {
  IndexSet part = *this;
  part.begin_ += begin;
  part.count_ = end - begin;
  return part;
}

IndexSet IndexSet::neighbours(Index count) const {
  if (count == 1) return *this;
  if (is_range()) return range(begin_ * count, count_ * count);
  std::vector<Index> all;
  all.reserve(static_cast<std::size_t>(count_ * count));
  for (Index i = 0; i < count_; ++i) {
    for (Index j = 0; j < count; ++j) all.push_back((*this)[i] * count + j);
  }
  return list(std::move(all));
}

IndexSet IndexSet::positions_in(const IndexSet& container) const {
  if (is_range() && (container.is_range() || count_ == 0)) {
    return range(count_ == 0 ? 0 : begin_ - container.begin_, count_);
  }
  std::vector<Index> positions(static_cast<std::size_t>(count_));
  for (Index i = 0; i < count_; ++i) {
    const Index position = container.lower_bound((*this)[i]);
    assert(position < container.size() && container[position] == (*this)[i]);
    positions[static_cast<std::size_t>(i)] = position;
  }
  return list(std::move(positions));
}

IndexSet intersection(const IndexSet& a, const IndexSet& b) {
  if (b.is_range()) {
    return a.slice(a.lower_bound(b.begin_), a.lower_bound(b.begin_ + b.count_));
  }
  if (a.is_range()) return intersection(b, a);
  const auto begin = [](const IndexSet& set) { return set.list_->begin() + set.begin_; };
  std::vector<Index> common;
  std::set_intersection(begin(a), begin(a) + a.count_, begin(b), begin(b) + b.count_,
                        std::back_inserter(common));
  return IndexSet::list(std::move(common));
}

}  // namespace isthmus
