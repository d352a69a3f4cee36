#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace isthmus {

/// The labels of a mini-batch: one for each sample, or a set. A view.
class Labels {
 public:
  Labels(std::span<const int> one_each) : one_each_(one_each) {}
  Labels(const std::vector<int>& one_each) : one_each_(one_each) {}
  explicit Labels(std::span<const std::span<const int>> sets) : sets_(sets), are_sets_(true) {}

  bool are_sets() const { return are_sets_; }
  std::span<const int> operator[](std::size_t sample) const {
    return are_sets_ ? sets_[sample] : one_each_.subspan(sample, 1);
  }

 private:
  std::span<const int> one_each_;
  std::span<const std::span<const int>> sets_;
  bool are_sets_ = false;
};

}  // namespace isthmus
