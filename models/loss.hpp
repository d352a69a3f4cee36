#pragma once

#include <span>

#include "models/device/work.hpp"
#include "models/matrix.hpp"

namespace isthmus {

/// Sums over a batch (or over several).
struct BatchResult {
  double loss_sum = 0;
  long correct = 0;
  long samples = 0;

  double mean_loss() const { return loss_sum / static_cast<double>(samples); }
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(samples); }
  BatchResult& operator+=(const BatchResult& other);
};

/// Softmax cross-entropy of `logits` (samples x classes) against `labels`. A sample counts as correct when
/// its label has the (first) largest logit.
BatchResult softmax_cross_entropy(ConstMatrixMap logits, std::span<const int> labels);

/// Likewise, and writes the gradient of the *mean* loss over the logits.
BatchResult softmax_cross_entropy_gradient(MatrixMap logits, std::span<const int> labels);

/// FLOPs of one sample: maximum, difference, exponential, sum and quotient for each class.
constexpr double softmax_flops_per_class = 5;

/// Softmax, then the loss of its result; and their gradients, which no FLOPs are counted for: all that they
/// need is there.
struct LossWork {
  Work forward, backward;
};
LossWork loss_work(Index batch, Index classes);

}  // namespace isthmus
