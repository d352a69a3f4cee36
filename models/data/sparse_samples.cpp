#include "models/data/sparse_samples.hpp"

#include <algorithm>

namespace isthmus {

void SparseSamples::write(std::size_t sample, std::span<float> to) const {
  std::ranges::fill(to, 0.0F);
  for (const auto& [feature, value] : entries(sample)) to[static_cast<std::size_t>(feature)] = value;
}

}  // namespace isthmus
