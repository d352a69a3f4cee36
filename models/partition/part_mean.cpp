#include "models/partition/part_mean.hpp"

#include <algorithm>
#include <vector>

namespace isthmus {

PartMean::PartMean(Values sums, Values weights) : sums_(sums), weights_(weights) {
  if (sums_.is_phantom()) return;
  std::ranges::fill(sums_, 0.0F);
  std::ranges::fill(weights_, 0.0F);
}

void PartMean::add(const Transfer& transfer, ConstValues part, float weight) {
  if (sums_.is_phantom() || part.is_phantom()) return;
  std::vector<float> known(transfer.size());
  transfer.gather(sums_, known);
  add_scaled(weight, part, known);
  transfer.scatter(known, sums_);
  transfer.gather(weights_, known);
  for (float& sum : known) sum += weight;
  transfer.scatter(known, weights_);
}

void PartMean::write_to(Values vector) const {
  if (sums_.is_phantom() || vector.is_phantom()) return;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (const float weight = weights_.data()[i]; weight > 0)
      vector.data()[i] = sums_.data()[i] * (1 / weight);
  }
}

}  // namespace isthmus
