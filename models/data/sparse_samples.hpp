#pragma once

#include <span>
#include <utility>
#include <vector>

namespace isthmus {

/// A list for each of some samples, one after the other.
template <typename Item>
class Lists {
 public:
  void add(std::span<const Item> list) {
    items_.insert(items_.end(), list.begin(), list.end());
    ends_.push_back(items_.size());
  }
  std::size_t size() const { return ends_.size(); }
  std::size_t items() const { return items_.size(); }
  std::span<const Item> operator[](std::size_t sample) const {
    const std::size_t begin = sample == 0 ? 0 : ends_[sample - 1];
    return std::span(items_).subspan(begin, ends_[sample] - begin);
  }

 private:
  std::vector<Item> items_;
  std::vector<std::size_t> ends_;
};

/// Samples of which most features are zero, each with a set of labels.
class SparseSamples {
 public:
  using Entry = std::pair<int, float>;  ///< feature, value

  /// Features ascending; at least one label.
  void add(std::span<const Entry> entries, std::span<const int> labels) {
    entries_.add(entries);
    labels_.add(labels);
  }

  std::size_t size() const { return labels_.size(); }
  const Lists<Entry>& entries() const { return entries_; }
  const Lists<int>& labels() const { return labels_; }
  std::span<const Entry> entries(std::size_t sample) const { return entries_[sample]; }
  std::span<const int> labels(std::size_t sample) const { return labels_[sample]; }
  /// Writes all features of a sample, zeros as well.
  void write(std::size_t sample, std::span<float> to) const;

 private:
  Lists<Entry> entries_;
  Lists<int> labels_;
};

}  // namespace isthmus
