#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace isthmus {

/// A set of labels for each of some samples.
class LabelSets {
 public:
  void add(std::span<const int> labels) {
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    ends_.push_back(labels_.size());
  }
  std::size_t samples() const { return ends_.size(); }
  std::span<const int> of(std::size_t sample) const {
    const std::size_t begin = sample == 0 ? 0 : ends_[sample - 1];
    return std::span(labels_).subspan(begin, ends_[sample] - begin);
  }

 private:
  std::vector<int> labels_;
  std::vector<std::size_t> ends_;
};

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
