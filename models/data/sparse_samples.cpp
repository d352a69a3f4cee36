#include "models/data/sparse_samples.hpp"

#include <algorithm>

namespace isthmus {

void SparseSamples::add(std::span<const Entry> entries, std::span<const int> labels) {
  entries_.insert(entries_.end(), entries.begin(), entries.end());
  ends_.push_back(entries_.size());
  labels_.add(labels);
}

std::span<const SparseSamples::Entry> SparseSamples::entries(std::size_t sample) const {
  const std::size_t begin = sample == 0 ? 0 : ends_[sample - 1];
  return std::span(entries_).subspan(begin, ends_[sample] - begin);
}

void SparseSamples::write(std::size_t sample, std::span<float> to) const {
  std::ranges::fill(to, 0.0F);
  for (const auto& [feature, value] : entries(sample)) to[static_cast<std::size_t>(feature)] = value;
}

}  // namespace isthmus
