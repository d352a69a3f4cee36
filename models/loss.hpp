#pragma once

#include <optional>

#include "models/data/labels.hpp"
#include "models/device/work.hpp"
#include "models/matrix.hpp"

namespace isthmus {

/// Sums over a batch (or over several).
struct BatchResult {
  double loss_sum = 0;
  long correct = 0;
  long samples = 0;
  /// In tests of samples with sets of labels: samples, and labels of theirs among the 3, and 5, largest
  /// logits.
  long ranked_samples = 0, hits_at_3 = 0, hits_at_5 = 0;

  double mean_loss() const { return loss_sum / static_cast<double>(samples); }
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(samples); }
  /// Precision at 3 and at 5, the mean part of the largest logits that are labels; at 1 it is accuracy().
  std::optional<double> precision_at_3() const { return precision(hits_at_3, 3); }
  std::optional<double> precision_at_5() const { return precision(hits_at_5, 5); }
  BatchResult& operator+=(const BatchResult& other);

 private:
  std::optional<double> precision(long hits, int k) const {
    if (ranked_samples == 0) return std::nullopt;
    return static_cast<double>(hits) / static_cast<double>(k * ranked_samples);
  }
};

/// Softmax cross-entropy of `logits` (samples x classes) against `labels`: in a set all are as likely. A
/// sample counts as correct when a label of its has the (first) largest logit.
BatchResult softmax_cross_entropy(ConstMatrixMap logits, const Labels& labels);

/// Likewise, and writes the gradient of the *mean* loss over the logits.
BatchResult softmax_cross_entropy_gradient(MatrixMap logits, const Labels& labels);

/// FLOPs of one sample: maximum, difference, exponential, sum and quotient for each class.
constexpr double softmax_flops_per_class = 5;

/// Softmax, then the loss of its result; and their gradients, which no FLOPs are counted for: all that they
/// need is there.
struct LossWork {
  Work forward, backward;
};
LossWork loss_work(Index batch, Index classes);

}  // namespace isthmus
