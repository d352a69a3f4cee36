#pragma once

#include <span>
#include <utility>
#include <vector>

#include "models/data/labels.hpp"
#include "models/matrix.hpp"

namespace isthmus {

/// Samples of which most features are zero, each with a set of labels.
class SparseSamples {
 public:
  using Entry = std::pair<int, float>;  ///< feature, value

  /// Features ascending; at least one label.
  void add(std::span<const Entry> entries, std::span<const int> labels);

  std::size_t size() const { return labels_.samples(); }
  std::span<const Entry> entries(std::size_t sample) const;
  std::span<const int> labels(std::size_t sample) const { return labels_.of(sample); }
  /// Writes all features of a sample, zeros as well.
  void write(std::size_t sample, std::span<float> to) const;

 private:
  std::vector<Entry> entries_;
  std::vector<std::size_t> ends_;
  LabelSets labels_;
};

}  // namespace isthmus
